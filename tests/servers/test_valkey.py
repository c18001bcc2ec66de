"""The Redis-compatible server of the tests is a real one: it forgets, dies and comes back."""

from __future__ import annotations

import pytest
import redis

from tests.servers.valkey import ValkeyServer


def test_each_test_gets_it_empty(valkey: ValkeyServer) -> None:
    with redis.Redis.from_url(valkey.url) as client:
        assert client.dbsize() == 0
        client.set("left", "behind")
        valkey.flush()
        assert client.get("left") is None


def test_a_killed_server_comes_back_on_the_same_address(own_valkey: ValkeyServer) -> None:
    url = own_valkey.url
    own_valkey.kill()
    with redis.Redis.from_url(url) as client, pytest.raises(redis.ConnectionError):
        client.ping()
    own_valkey.restart()
    with redis.Redis.from_url(url) as client:
        assert client.ping()


def test_a_paused_server_does_not_answer_until_it_goes_on(own_valkey: ValkeyServer) -> None:
    with redis.Redis.from_url(own_valkey.url, socket_timeout=0.2, retry=None) as client:
        own_valkey.pause()
        with pytest.raises(redis.TimeoutError):
            client.ping()
        own_valkey.resume()
    with redis.Redis.from_url(own_valkey.url) as client:
        assert client.ping()
