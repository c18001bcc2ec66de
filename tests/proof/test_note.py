"""Signed notes and checkpoints read as transparency logs write them, and no forged one is believed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hivesync_core.proof.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint, split_notes
from hivesync_core.proof.note import KeyRefused, NoteRefused, PublicKey, SigningKey, is_key_name, open_note

KEY = SigningKey("log.example/hivesync", bytes(range(32)))
OTHER = SigningKey("log.example/hivesync", bytes(32))
CHECKPOINT = Checkpoint(KEY.name, 1234, b"r" * 32, b"c" * 32, datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC))

# The example of the Go implementation, golang.org/x/mod/sumdb/note.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
NEUMANN_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_a_note_of_the_go_implementation_is_read() -> None:
    text = open_note(NEUMANN_NOTE, PublicKey.parse(NEUMANN))
    assert text.startswith("If you think cryptography")


def test_the_same_key_signs_the_same_note_as_the_go_implementation() -> None:
    key = SigningKey.parse(NEUMANN_SECRET)
    assert str(key.public) == NEUMANN
    assert key.secret_text() == NEUMANN_SECRET
    assert key.sign(NEUMANN_NOTE.partition("\n\n")[0] + "\n") == NEUMANN_NOTE


def test_a_checkpoint_is_read_as_it_was_signed() -> None:
    signed = sign_checkpoint(CHECKPOINT, KEY)
    assert signed.note.splitlines()[:3] == [
        "log.example/hivesync",
        "1234",
        "cnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=",
    ]
    assert open_checkpoint(signed.note, KEY.public) == signed


def test_signatures_of_unknown_keys_are_passed_over() -> None:
    text = CHECKPOINT.text()
    witness = SigningKey("witness.example", bytes(32)).sign(text).rpartition("\n\n")[2]
    ours = KEY.sign(text).rpartition("\n\n")[2]
    for signatures in (witness + ours, ours + witness):
        assert open_checkpoint(f"{text}\n{signatures}", KEY.public).checkpoint == CHECKPOINT


def test_a_checkpoint_signed_by_another_key_of_the_same_name_is_refused() -> None:
    with pytest.raises(NoteRefused, match="not signed by"):
        open_checkpoint(sign_checkpoint(CHECKPOINT, OTHER).note, KEY.public)


def test_a_checkpoint_of_another_log_is_refused_though_our_key_signed_it() -> None:
    with pytest.raises(NoteRefused, match="another log"):
        open_checkpoint(KEY.sign(CHECKPOINT._replace(origin="other.example").text()), KEY.public)


@given(st.data())
def test_no_bit_of_a_checkpoint_can_be_changed(data: st.DataObject) -> None:
    note = sign_checkpoint(CHECKPOINT, KEY).note.encode()
    bit = data.draw(st.integers(0, len(note) * 8 - 1))
    changed = bytearray(note)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises((NoteRefused, UnicodeDecodeError)):
        open_checkpoint(changed.decode(), KEY.public)


@given(st.text(max_size=200))
def test_no_other_text_is_taken_for_a_note_or_a_key(text: str) -> None:
    with pytest.raises(NoteRefused):
        open_note(text, KEY.public)
    with pytest.raises(KeyRefused):
        PublicKey.parse(text)
    with pytest.raises(KeyRefused):
        SigningKey.parse(text)


@given(st.data())
def test_no_character_of_a_key_can_be_changed(data: st.DataObject) -> None:
    for text, parse in ((str(KEY.public), PublicKey.parse), (KEY.secret_text(), SigningKey.parse)):
        at = data.draw(st.integers(0, len(text) - 1))
        other = data.draw(
            st.characters(codec="ascii").filter(lambda char, was=text[at]: char != was and not char.isspace())
        )
        with pytest.raises(KeyRefused):
            parse(text[:at] + other + text[at + 1 :])


def test_the_refusal_of_a_signing_key_does_not_repeat_it() -> None:
    secret = KEY.secret_text()
    with pytest.raises(KeyRefused) as refusal:
        SigningKey.parse(secret.replace("hivesync", "other"))
    assert secret.rpartition("+")[2] not in str(refusal.value)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\N{NO-BREAK SPACE}b", "a\tb"])
def test_a_name_that_signature_lines_cannot_carry_is_refused(name: str) -> None:
    assert not is_key_name(name)


@pytest.mark.parametrize(
    "text",
    [
        "log.example/hivesync\n12\n",
        "log.example/hivesync\n012\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=\n",
        "log.example/hivesync\n-1\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=\n",
        "log.example/hivesync\n1\ncnJy\n",
        "log.example/hivesync\n1\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=\n",
        "log.example/hivesync\n1\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=\nchain Y2M=\ntime 2026-02-03T04:05:06Z\n",
    ],
)
def test_what_is_signed_and_not_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteRefused, match="signed, but"):
        open_checkpoint(KEY.sign(text), KEY.public)


def test_a_file_of_checkpoints_is_read_up_to_its_last_whole_one() -> None:
    notes = [sign_checkpoint(CHECKPOINT._replace(size=size), KEY).note for size in (1, 20, 300)]
    file = "\n".join(notes)
    assert split_notes(file) == notes
    assert split_notes("".join(notes)) == notes
    for cut in range(len(file) - len(notes[2]), len(file)):
        assert split_notes(file[:cut]) == notes[:2]
    assert split_notes("") == []
