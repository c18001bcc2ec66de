"""From the host's keystroke to the viewer's text: the way that everything else in Live View hangs on."""

from __future__ import annotations

from tests.live.stage import Stage


async def test_a_viewer_sees_what_the_host_types(stage: Stage) -> None:
    host = await stage.hosting()
    assert (await host.open_file("src/a.py", "print('a')\n"))["payload"] == {"file": "src/a.py", "version": 1}
    viewer = await stage.viewing()
    assert viewer.files["src/a.py"].text == "print('a')\n"
    assert viewer.snapshots == ["joined"]
    await host.insert("src/a.py", 7, "😀é")
    await host.insert("src/a.py", 8, "!", deleted=1)
    assert await viewer.until("src/a.py", 3) == "print('😀!a')\n" == host.files["src/a.py"].text
    assert viewer.snapshots == ["joined"]
