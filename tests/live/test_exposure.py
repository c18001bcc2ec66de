"""The ledger of exposure: who was shown which file and which lines, when; and nothing of what stands in them."""

from __future__ import annotations

import msgspec

from tests.http.harness import problem
from tests.live.stage import Stage

SECRET = "the quince jelly stands behind the flour"


async def test_the_ledger_says_who_was_shown_which_lines_and_holds_none_of_them(stage: Stage) -> None:
    member, auditor = await stage.server.person("member"), await stage.server.person("auditor")
    await stage.host.let_in(stage.project_id, member)
    await stage.host.let_in(stage.project_id, auditor, "auditor")
    host = await stage.hosting()
    await host.open_file("a.py", f"{SECRET}\n" * 10)
    joined = await stage.guest("Grace")
    early = await stage.viewing(joined)
    await host.insert("a.py", 0, f"# {SECRET}\n")
    await early.until("a.py", 2)
    await early.close()
    late = await stage.guest("Lin")
    viewer = await stage.viewing(late)
    await host.acknowledged("a.py")
    await host.insert("a.py", 0, "x")
    await viewer.until("a.py", 3)
    await stage.server.parts.live.ledger.store()
    path = f"/live-sessions/{stage.session_id}/exposure"
    problem(await member.get(path), 403, "live.ledger_not_allowed")
    answer = await auditor.get(path)
    assert (await stage.host.get(path)).text == answer.text
    lines = [msgspec.json.decode(line) for line in answer.text.splitlines()]
    shown = {(line["guest_name"], line["file"], line["by"], line["first_line"], line["last_line"]) for line in lines}
    assert ("Grace", "a.py", "snapshot", 1, 11) in shown
    # A snapshot that was made for somebody else shortly before is sent again, with what came after it.
    assert shown & {("Lin", "a.py", "snapshot", 1, 12), ("Lin", "a.py", "snapshot", 1, 11)}
    assert ("Lin", "a.py", "edits", 1, 1) in shown
    assert any(name == "Grace" and by == "edits" and first == 1 for name, _, by, first, _ in shown)
    assert not any(name == "Grace" and by == "edits" and last > 2 for name, _, by, _, last in shown)
    assert SECRET not in answer.text
    tables = await stage.server.parts.database.fetch_all(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    for (table,) in tables:
        found = await stage.server.parts.database.fetch_one(
            f"SELECT count(*) FROM {table} t WHERE strpos(t::text, %s) > 0", ("quince",)
        )
        assert found == (0,), table
