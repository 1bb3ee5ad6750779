"""The list of models as each official SDK asks for it and reads it. SPDX-License-Identifier: MIT"""

import pytest

from harness.gateway import CLIENT_KEY

MODELS = {"demo", "gpt-4", "claude-sonnet-4-5"}


@pytest.fixture
def gateway(start):
    address = {"base_url": "http://127.0.0.1:1/v1", "api_key": "k"}
    return start(
        {
            "backends": {
                "openai": address | {"models": ["gpt-4", "gpt-4o-*"]},
                "claude": address | {"models": ["claude-sonnet-4-5"]},
            }
        }
    )


def test_openai(gateway):
    openai = pytest.importorskip("openai", reason="SDK: openai is not installed")
    with openai.OpenAI(base_url=gateway.url + "/v1", api_key=CLIENT_KEY) as sdk:
        listed = list(sdk.models.list())
        assert {m.id for m in listed} == MODELS and {m.object for m in listed} == {"model"}
        assert sdk.models.retrieve("claude-sonnet-4-5").owned_by == "claude"
        with pytest.raises(openai.NotFoundError, match="claude"):
            sdk.models.retrieve("claud-sonnet")


def test_anthropic(gateway):
    anthropic = pytest.importorskip("anthropic", reason="SDK: anthropic is not installed")
    with anthropic.Anthropic(base_url=gateway.url, api_key=CLIENT_KEY) as sdk:
        listed = list(sdk.models.list(limit=2))
        assert {m.id for m in listed} == MODELS and {m.type for m in listed} == {"model"}
        assert sdk.models.retrieve("gpt-4").display_name == "gpt-4"
        with pytest.raises(anthropic.NotFoundError) as unknown:
            sdk.models.retrieve("claud-sonnet")
        assert unknown.value.body["error"]["type"] == "not_found_error"


def test_google(gateway):
    genai = pytest.importorskip("google.genai", reason="SDK: google-genai is not installed")
    sdk = genai.Client(api_key=CLIENT_KEY, http_options=genai.types.HttpOptions(base_url=gateway.url))
    listed = list(sdk.models.list())
    assert {m.name for m in listed} == {f"models/{name}" for name in MODELS}
    assert "countTokens" in listed[0].supported_actions
    assert sdk.models.get(model="gpt-4").name == "models/gpt-4"
    with pytest.raises(genai.errors.ClientError) as unknown:
        sdk.models.get(model="claud-sonnet")
    assert unknown.value.status == "NOT_FOUND"


def test_cohere(gateway):
    """On OpenAI's path: its SDK says in a header whose it is."""
    cohere = pytest.importorskip("cohere", reason="SDK: cohere is not installed")
    sdk = cohere.ClientV2(api_key=CLIENT_KEY, base_url=gateway.url)
    assert {m.name for m in sdk.models.list().models} == MODELS
    assert sdk.models.get("gpt-4").name == "gpt-4"
    with pytest.raises(cohere.NotFoundError):
        sdk.models.get("claud-sonnet")


NAMES = [f"org/model {i:02}" for i in range(25)]


@pytest.fixture
def many(start):
    address = {"base_url": "http://127.0.0.1:1/v1", "api_key": "k"}
    return start({"backends": {"openai": address | {"models": NAMES}}})


@pytest.mark.parametrize("size", [1, 7, 25, 26, 1000])
def test_anthropics_sdk_turns_pages(many, size):
    anthropic = pytest.importorskip("anthropic", reason="SDK: anthropic is not installed")
    with anthropic.Anthropic(base_url=many.url, api_key=CLIENT_KEY) as sdk:
        first = sdk.models.list(limit=size)
        assert len(first.data) == min(size, 26) and first.has_more == (size < 26)
        assert first.first_id == NAMES[0] and first.last_id == first.data[-1].id
        assert [m.id for m in first] == [*NAMES, "demo"]
        back = [m.id for m in sdk.models.list(limit=size, before_id=NAMES[20])]
        assert sorted(back) == NAMES[:20] and back[:size] == NAMES[max(0, 20 - size) : 20]
        with pytest.raises(anthropic.BadRequestError, match="list any more"):
            sdk.models.list(after_id="gone")
        with pytest.raises(anthropic.BadRequestError):
            sdk.models.list(limit=0)
        assert len(list(sdk.models.list())) == 26


@pytest.mark.parametrize("size", [1, 7, 25, 26, 1000])
def test_googles_sdk_turns_pages(many, size):
    genai = pytest.importorskip("google.genai", reason="SDK: google-genai is not installed")
    sdk = genai.Client(api_key=CLIENT_KEY, http_options=genai.types.HttpOptions(base_url=many.url))
    pager = sdk.models.list(config={"page_size": size})
    assert len(pager.page) == min(size, 26)
    assert [m.name for m in pager] == [f"models/{name}" for name in [*NAMES, "demo"]]
    with pytest.raises(genai.errors.ClientError) as gone:
        sdk.models.list(config={"page_token": "gone"})
    assert gone.value.status == "INVALID_ARGUMENT"


@pytest.mark.parametrize("size", [1, 7, 25, 26, 1000])
def test_cohere_turns_pages(many, size):
    cohere = pytest.importorskip("cohere", reason="SDK: cohere is not installed")
    sdk = cohere.ClientV2(api_key=CLIENT_KEY, base_url=many.url)
    seen, token = [], None
    while len(seen) <= 26:
        page = sdk.models.list(page_size=size, page_token=token)
        seen += [m.name for m in page.models]
        token = page.next_page_token
        if not token:
            break
    assert seen == [*NAMES, "demo"]
