"""The rules of prompts and settings: versions that never change, labels that move, values within bounds."""

from __future__ import annotations

import pytest

from hivesync_core.kernel.text import TextRefused
from hivesync_core.prompts import events as pe
from hivesync_core.prompts import refusals as pr
from hivesync_core.prompts.decider import AddPromptVersion, MovePromptLabel, prompts
from hivesync_core.prompts.template import BUILT_IN, PLACEHOLDERS, checked, filled
from hivesync_core.settings.decider import ChangeAiSettings, ChangeRetention, SettingRefused, settings
from hivesync_core.settings.events import AiSettingsChanged, RetentionChanged
from tests.core.cast import OWNER
from tests.core.given import Given

FIRST = pe.PromptVersionAdded(version=1, sha256="a" * 64, chars=10, note="", added_by=None)
IN_PRODUCTION = pe.PromptLabelMoved(label="production", version=1, before=None, moved_by=None)
SECOND = pe.PromptVersionAdded(version=2, sha256="b" * 64, chars=12, note="Shorter.", added_by=OWNER)


def test_the_first_version_is_in_production() -> None:
    Given(prompts).when(AddPromptVersion(sha256="a" * 64, chars=10)).then(FIRST, IN_PRODUCTION)
    add = AddPromptVersion(sha256="b" * 64, chars=12, note="Shorter.", by=OWNER)
    Given(prompts, FIRST, IN_PRODUCTION).when(add).then(SECOND)
    Given(prompts, FIRST, IN_PRODUCTION, SECOND).when(add).then_nothing()


def test_a_rollback_is_a_label_moved() -> None:
    at = Given(prompts, FIRST, IN_PRODUCTION, SECOND)
    forward = pe.PromptLabelMoved(label="production", version=2, before=1, moved_by=OWNER)
    at.when(MovePromptLabel(label="production", version=2, by=OWNER)).then(forward)
    back = pe.PromptLabelMoved(label="production", version=1, before=2, moved_by=OWNER)
    Given(prompts, FIRST, IN_PRODUCTION, SECOND, forward).when(
        MovePromptLabel(label="production", version=1, by=OWNER)
    ).then(back)
    at.when(MovePromptLabel(label="production", version=1, by=OWNER)).then_nothing()
    at.when(MovePromptLabel(label="draft", version=3)).then_refused(pr.PromptVersionUnknown, version=3)
    for label in ("", "Draft", "-draft", "a b", "x" * 41):
        at.when(MovePromptLabel(label=label, version=1)).then_refused(pr.LabelRefused)


def test_a_template_has_known_placeholders_only_and_what_is_filled_in_stays_text() -> None:
    assert checked(BUILT_IN) == BUILT_IN
    values = dict.fromkeys(PLACEHOLDERS, "x") | {"path": "{{language}}"}
    assert filled("In {{ path }}: {{detail}}.", values) == "In {{language}}: x."
    with pytest.raises(pr.TemplateRefused):
        checked("{{secret}}")
    with pytest.raises(TextRefused):
        checked("x" * 20_001)


def test_only_what_changes_is_told() -> None:
    change = ChangeAiSettings(by=OWNER, model="local", base_url="http://localhost:8080/v1/", tries_max=3)
    changed = AiSettingsChanged(changed_by=OWNER, model="local", base_url="http://localhost:8080/v1")
    Given(settings).when(change).then(changed).then_state()
    Given(settings, changed).when(change).then_nothing()
    no_price = ChangeAiSettings(by=OWNER, input_price_micros=None)
    Given(settings).when(no_price).then(AiSettingsChanged(changed_by=OWNER, input_price_micros=None))
    days = ChangeRetention(by=OWNER, source_days=0)
    Given(settings).when(days).then(RetentionChanged(changed_by=OWNER, source_days=0))


@pytest.mark.parametrize(
    "fields",
    [
        {"base_url": "ftp://example.org"},
        {"base_url": "http://user:secret@example.org/v1"},
        {"base_url": "http://"},
        {"base_url": "http://example.org:port/"},
        {"base_url": "https://example.org/?key=1"},
        {"tries_max": 0},
        {"tries_max": 4},
        {"timeout_s": 0},
        {"source_bytes_max": 3_000_000},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(fields: dict[str, object]) -> None:
    Given(settings).when(ChangeAiSettings(by=OWNER, **fields)).then_refused(SettingRefused, field=next(iter(fields)))  # type: ignore[arg-type]
