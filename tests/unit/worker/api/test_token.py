"""The token: one fetch for everybody, before the old one expires, and again after a refusal."""

import asyncio

import pytest
from ajo_worker.api import token as token_module
from ajo_worker.api.token import Missing, Token, TokenProvider, TokenUnavailable
from ajo_worker.api.token_answer import FetchFailed


class Endpoint:
    """Numbered tokens; can be held up, or fail."""

    def __init__(self, lifetime: float = 1000.0) -> None:
        self.now = 0.0
        self.lifetime = lifetime
        self.fetches = 0
        self.failures = 0
        self.open = asyncio.Event()
        self.open.set()

    def monotonic(self) -> float:
        return self.now

    async def fetch(self) -> Token:
        await self.open.wait()
        self.fetches += 1
        if self.failures:
            self.failures -= 1
            raise FetchFailed("status 503")
        return Token(f"token-{self.fetches}", self.now, self.lifetime)

    def provider(self, margin: float = 100.0) -> TokenProvider:
        return TokenProvider(self.fetch, margin=margin, monotonic=self.monotonic)


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_thousand_callers_cause_one_fetch() -> None:
    endpoint = Endpoint()
    provider = endpoint.provider()
    assert set(await asyncio.gather(*(provider.get(5) for _ in range(1000)))) == {"token-1"}
    assert endpoint.fetches == 1


async def test_before_its_end_a_token_is_renewed_and_nobody_waits_for_it() -> None:
    endpoint = Endpoint()
    provider = endpoint.provider()
    await provider.get(5)
    endpoint.now = 901.0
    endpoint.open.clear()
    assert await provider.get(0.001) == "token-1"
    endpoint.open.set()
    await turns()
    assert await provider.get(5) == "token-2"
    assert endpoint.fetches == 2


async def test_a_token_that_lives_shorter_than_the_margin_is_used_for_half_its_life() -> None:
    endpoint = Endpoint(lifetime=10.0)
    provider = endpoint.provider(margin=300.0)
    await provider.get(5)
    endpoint.now = 4.0
    await provider.get(5)
    await turns()
    assert endpoint.fetches == 1
    endpoint.now = 6.0
    await provider.get(5)
    await turns()
    assert endpoint.fetches == 2


async def test_an_expired_token_is_never_given() -> None:
    endpoint = Endpoint()
    provider = endpoint.provider()
    await provider.get(5)
    endpoint.now = 1000.0
    assert await provider.get(5) == "token-2"


async def test_a_thousand_refusals_of_one_token_cause_one_fetch() -> None:
    endpoint = Endpoint()
    provider = endpoint.provider()
    old = await provider.get(5)
    assert set(await asyncio.gather(*(provider.refresh(old, 5) for _ in range(1000)))) == {"token-2"}
    assert await provider.refresh(old, 5) == "token-2", "a late refusal of the old token fetches nothing"
    assert endpoint.fetches == 2


async def test_a_failing_endpoint_is_asked_again_until_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_module, "FIRST_PAUSE", 0.001)
    endpoint = Endpoint()
    endpoint.failures = 3
    assert await endpoint.provider().get(5) == "token-4"


async def test_a_wait_that_is_too_long_says_why_there_is_no_token() -> None:
    endpoint = Endpoint()
    endpoint.failures = 10**6
    provider = endpoint.provider()
    with pytest.raises(TokenUnavailable, match="status 503"):
        await provider.get(0.05)
    await provider.close()


async def test_a_token_is_not_shown() -> None:
    assert "secret" not in repr(Token("secret", 0.0, 1.0))


async def test_a_refused_token_that_comes_again_is_not_asked_for_without_a_pause() -> None:
    endpoint = Endpoint()

    async def same() -> Token:
        endpoint.fetches += 1
        return Token("token-1", endpoint.now, endpoint.lifetime)

    provider = TokenProvider(same, margin=100.0, monotonic=endpoint.monotonic)
    assert await provider.get(5) == "token-1"
    provider.refused("token-1", "a")
    with pytest.raises(TokenUnavailable, match="that was refused, again"):
        await provider.refresh("token-1", 0.1)
    assert endpoint.fetches == 2, "the first one, and one more before the pause"
    await provider.close()


async def test_a_provider_says_since_when_and_why_it_gets_no_token_until_it_has_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(token_module, "FIRST_PAUSE", 0.001)
    endpoint = Endpoint()
    provider = endpoint.provider()
    assert provider.failing is None
    endpoint.failures, endpoint.now = 10**6, 7.0
    with pytest.raises(TokenUnavailable):
        await provider.get(0.01)
    endpoint.now = 9.0
    with pytest.raises(TokenUnavailable):
        await provider.get(0.05)
    assert endpoint.fetches > 1
    assert provider.failing == (7.0, "status 503"), "since the first failure in a row"
    endpoint.failures = 0
    await provider.get(5)
    assert provider.failing is None


async def test_a_token_is_missing_only_while_there_is_none_that_can_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_module, "FIRST_PAUSE", 0.001)
    endpoint, told = Endpoint(), list[float]()
    provider = endpoint.provider()
    provider.on_token = lambda: told.append(endpoint.now)
    assert provider.missing is None, "nobody has asked for one yet"
    assert await provider.get(5) == "token-1"
    endpoint.failures, endpoint.now = 10**6, 950.0
    assert await provider.get(5) == "token-1"
    await asyncio.sleep(0.02)
    assert provider.failing == (950.0, "status 503")
    assert provider.missing is None, "the old one lives on"
    endpoint.now = 1005.0
    assert provider.missing == Missing(1000.0, "status 503", ours=False), "since the old one ended"
    assert told == []
    endpoint.failures = 0
    assert await provider.get(5)
    assert provider.missing is None
    assert told == [1005.0]


async def test_a_refused_token_is_missing_since_it_was_refused() -> None:
    endpoint = Endpoint()
    provider = endpoint.provider()
    old = await provider.get(5)
    endpoint.failures, endpoint.now = 10**6, 30.0
    provider.refused(old, "a")
    with pytest.raises(TokenUnavailable):
        await provider.refresh(old, 0.01)
    endpoint.now = 40.0
    assert provider.missing == Missing(30.0, "status 503", ours=False)
    await provider.close()


@pytest.mark.parametrize("confirmed", [False, True])
async def test_a_token_that_one_campaign_is_refused_with_serves_the_others_as_long_as_it_works_for_them(
    monkeypatch: pytest.MonkeyPatch, confirmed: bool
) -> None:
    """The endpoint gives the same token again, as one with a cache does."""
    monkeypatch.setattr(token_module, "FIRST_PAUSE", 0.001)
    endpoint = Endpoint()

    async def same() -> Token:
        return Token("token-1", endpoint.now, endpoint.lifetime)

    provider = TokenProvider(same, margin=100.0, monotonic=endpoint.monotonic)
    old = await provider.get(5)
    provider.worked(old, "works", 0.0)
    endpoint.now = 10.0
    provider.refused(old, "refused")
    assert provider.current() == old, "presumably it works for others still"
    with pytest.raises(TokenUnavailable):
        await provider.refresh(old, 0.01)
    assert (provider.missing, provider.current()) == (None, old)
    endpoint.now = 11.0
    if confirmed:
        provider.worked(old, "works", 10.5)
        assert await provider.refresh(old, 5) == old, "whoever was refused learns that there is no other one"
    endpoint.now = 16.0
    assert provider.current() == (old if confirmed else None)
    assert (provider.missing is None) is confirmed
    provider.refused(old, "works")
    assert provider.current() is None, "it works for nobody any more"
    await provider.close()


async def test_a_token_that_is_refused_for_all_that_it_has_worked_for_is_sent_no_more() -> None:
    endpoint = Endpoint()
    provider = endpoint.provider()
    old = await provider.get(5)
    endpoint.open.clear()
    for name in ("a", "b"):
        provider.worked(old, name, 0.0)
    provider.refused(old, "a")
    assert provider.current() == old
    provider.worked(old, "a", 0.0)  # an answer to an earlier call
    provider.refused(old, "b")
    assert provider.current() is None
    endpoint.open.set()
    assert await provider.refresh(old, 5) == await provider.get(5) == "token-2"
    provider.refused(old, "a")
    assert provider.current() == "token-2", "a late refusal of the old one says nothing of the new one"
    provider.refused("token-2", "a")
    assert provider.current() == "token-2", "nor does one of it, before it was tried for those that work"


async def test_a_fetch_that_hangs_has_failed_from_its_beginning_on() -> None:
    endpoint = Endpoint()

    async def hang() -> Token:
        endpoint.now += 15.0
        raise FetchFailed("no whole answer", ours=False)

    provider = TokenProvider(hang, margin=100.0, monotonic=endpoint.monotonic)
    with pytest.raises(TokenUnavailable):
        await provider.get(0.01)
    assert provider.missing is not None
    assert provider.missing.since == 0.0
    await provider.close()


async def test_refused_credentials_are_told_from_an_endpoint_that_is_away() -> None:
    async def refuse() -> Token:
        raise FetchFailed("status 400, invalid_client", ours=True)

    provider = TokenProvider(refuse, margin=100.0)
    with pytest.raises(TokenUnavailable):
        await provider.get(0.01)
    assert provider.missing is not None
    assert provider.missing.ours
    await provider.close()


async def test_a_token_surely_lives_as_if_its_life_began_with_the_question() -> None:
    endpoint = Endpoint(lifetime=10.0)

    async def slow() -> Token:
        asked = endpoint.now
        endpoint.now += 4.0
        endpoint.fetches += 1
        return Token(f"token-{endpoint.fetches}", endpoint.now, endpoint.lifetime, took=endpoint.now - asked)

    provider = TokenProvider(slow, margin=1.0, monotonic=endpoint.monotonic)
    first = await provider.get(5)
    assert provider.sure_until(first) == 10.0
    endpoint.now = 14.0
    second = await provider.get(5)
    assert provider.sure_until(second) == 24.0
    assert provider.sure_until(first) == float("-inf"), "of an older one nothing is sure"
