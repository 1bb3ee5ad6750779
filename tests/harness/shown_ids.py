"""The id of an answer as each official SDK shows it: SHOWN has the package and a function of (URL, model, mode), where
the mode is "whole", "stream" or "error". SPDX-License-Identifier: MIT
"""

from .gateway import CLIENT_KEY
from .mouthpieces import BLOCKS, TURN


def by_openai(create):
    def shown(url, model, mode):
        import openai

        with openai.OpenAI(base_url=url + "/v1", api_key=CLIENT_KEY, max_retries=0) as sdk:
            try:
                made = create(sdk, model, mode == "stream")
                if mode == "stream":
                    list(made)
                return made.response.headers["x-request-id"] if mode == "stream" else made._request_id
            except openai.APIStatusError as error:
                return error.request_id

    return "openai", shown


def by_anthropic(url, model, mode):
    import anthropic

    with anthropic.Anthropic(base_url=url, api_key=CLIENT_KEY, max_retries=0) as sdk:
        words = {"model": model, "messages": TURN, "max_tokens": 50}
        try:
            if mode != "stream":
                return sdk.messages.create(**words)._request_id
            with sdk.messages.stream(**words) as stream:
                stream.get_final_message()
                return stream.request_id
        except anthropic.APIStatusError as error:
            return error.request_id


def by_boto3(url, model, mode):
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError

    sdk = boto3.client(
        "bedrock-runtime",
        region_name="eu-central-1",
        endpoint_url=url,
        aws_access_key_id="AKIAOFTHECLIENT00000",
        aws_secret_access_key=CLIENT_KEY,
        config=Config(retries={"max_attempts": 0}, proxies={}),
    )
    try:
        if mode != "stream":
            return sdk.converse(modelId=model, messages=BLOCKS)["ResponseMetadata"]["RequestId"]
        made = sdk.converse_stream(modelId=model, messages=BLOCKS)
        list(made["stream"])
        return made["ResponseMetadata"]["RequestId"]
    except ClientError as error:
        return error.response["ResponseMetadata"]["RequestId"]


def by_cohere(url, model, mode):
    import cohere
    from cohere.core.api_error import ApiError

    sdk = cohere.ClientV2(api_key=CLIENT_KEY, base_url=url)
    once = {"max_retries": 0}
    try:
        if mode != "stream":
            made = sdk.with_raw_response.chat(model=model, messages=TURN, request_options=once)
            return made.headers["x-debug-trace-id"]
        with sdk.with_raw_response.chat_stream(model=model, messages=TURN, request_options=once) as made:
            list(made.data)
            return made.headers["x-debug-trace-id"]
    except ApiError as error:
        return error.headers["x-debug-trace-id"]


def by_google(url, model, mode):
    from google import genai

    sdk = genai.Client(api_key=CLIENT_KEY, http_options={"base_url": url})
    try:
        if mode != "stream":
            made = sdk.models.generate_content(model=model, contents="ping")
        else:
            *_, made = sdk.models.generate_content_stream(model=model, contents="ping")
        return made.sdk_http_response.headers["x-request-id"]
    except genai.errors.APIError as error:
        return error.response.headers["x-request-id"]


SHOWN = {
    "openai_chat": by_openai(lambda sdk, m, s: sdk.chat.completions.create(model=m, messages=TURN, stream=s)),
    "openai_responses": by_openai(lambda sdk, m, s: sdk.responses.create(model=m, input="ping", stream=s)),
    "openai_completions": by_openai(lambda sdk, m, s: sdk.completions.create(model=m, prompt="ping", stream=s)),
    "anthropic": ("anthropic", by_anthropic),
    "gemini": ("google.genai", by_google),
    "bedrock_converse": ("boto3", by_boto3),
    "cohere": ("cohere", by_cohere),
}
