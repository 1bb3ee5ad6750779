// The rows. Sources: protocols' fact sheets; vendors' documentation for base URLs and model names.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>

#include "base/text.h"
#include "providers/provider.h"

namespace sluice {
namespace {

using Words = std::string_view;

constexpr std::array openai_like = {Endpoint{DialectId::openai_chat, Operation::chat, "/chat/completions", ""}};
// Servers of open weights and those who resell them: the old text API too.
constexpr std::array openai_and_text = {Endpoint{DialectId::openai_chat, Operation::chat, "/chat/completions", ""},
                                        Endpoint{DialectId::openai_completions, Operation::chat, "/completions", ""}};
// What OpenAI itself still answers there, and what was tuned from it.
constexpr std::array text_models = {Words("gpt-3.5-turbo-instruct*"), Words("davinci-002"), Words("babbage-002"),
                                    Words("ft:davinci-002*"), Words("ft:babbage-002*")};
// Translations go to chat: every model and every look-alike at another address speaks it.
constexpr std::array openai_paths = {
    Endpoint{DialectId::openai_chat, Operation::chat, "/chat/completions", ""},
    Endpoint{DialectId::openai_responses, Operation::chat, "/responses", ""},
    Endpoint{DialectId::openai_responses, Operation::count_tokens, "/responses/input_tokens", ""},
    Endpoint{DialectId::openai_completions, Operation::chat, "/completions", "", text_models}};
// Both dialects, without counting.
constexpr std::array openai_both = {Endpoint{DialectId::openai_chat, Operation::chat, "/chat/completions", ""},
                                    Endpoint{DialectId::openai_responses, Operation::chat, "/responses", ""}};
// And the old one.
constexpr std::array openai_all = {Endpoint{DialectId::openai_chat, Operation::chat, "/chat/completions", ""},
                                   Endpoint{DialectId::openai_responses, Operation::chat, "/responses", ""},
                                   Endpoint{DialectId::openai_completions, Operation::chat, "/completions", ""}};
constexpr std::array anthropic_paths = {
    Endpoint{DialectId::anthropic, Operation::chat, "/v1/messages", ""},
    Endpoint{DialectId::anthropic, Operation::count_tokens, "/v1/messages/count_tokens", ""}};
constexpr std::array gemini_paths = {
    Endpoint{DialectId::gemini, Operation::chat, "/v1beta/models/{model}:generateContent",
             "/v1beta/models/{model}:streamGenerateContent?alt=sse"},
    Endpoint{DialectId::gemini, Operation::count_tokens, "/v1beta/models/{model}:countTokens", ""}};

// The vendor's own words first: its path in OpenAI's words tells neither citations nor plans.
constexpr std::array cohere_paths = {
    Endpoint{DialectId::cohere, Operation::chat, "/v2/chat", ""},
    Endpoint{DialectId::openai_chat, Operation::chat, "/compatibility/v1/chat/completions", ""}};

// Bedrock: Converse for every model; what Claude's own clients say goes to Claude in their own words.
constexpr std::array claude_on_bedrock = {Words("*anthropic.claude*")};
constexpr std::array in_the_path = {Words("model"), Words("stream")};
constexpr std::array in_the_body = {Words("anthropic-version"), Words("anthropic-beta")};
constexpr std::array bedrock_version = {std::pair(Words("anthropic_version"), Words("\"bedrock-2023-05-31\""))};
// A flag that this cloud does not know is refused, so only these families go along (pitfalls of others: row 107).
constexpr std::array bedrock_betas = {Words("computer-use-*"),
                                      Words("token-efficient-tools-*"),
                                      Words("interleaved-thinking-*"),
                                      Words("output-128k-*"),
                                      Words("dev-full-thinking-*"),
                                      Words("context-1m-*"),
                                      Words("context-management-*"),
                                      Words("compact-*"),
                                      Words("effort-*"),
                                      Words("tool-search-tool-*"),
                                      Words("tool-examples-*"),
                                      Words("fine-grained-tool-streaming-*")};
constexpr BodyForm bedrock_messages{.drop = in_the_path,
                                    .set = bedrock_version,
                                    .drop_headers = in_the_body,
                                    .list_header = "anthropic-beta",
                                    .list_member = "anthropic_beta",
                                    .list_words = bedrock_betas};
constexpr std::array bedrock_paths = {
    Endpoint{DialectId::bedrock_converse, Operation::chat, "/model/{model}/converse", "/model/{model}/converse-stream"},
    Endpoint{DialectId::bedrock_converse, Operation::count_tokens, "/model/{model}/count-tokens", "",
             claude_on_bedrock},
    Endpoint{DialectId::anthropic, Operation::chat, "/model/{model}/invoke",
             "/model/{model}/invoke-with-response-stream", claude_on_bedrock, &bedrock_messages}};

constexpr std::array openai_env = {Words("OPENAI_API_KEY")};
constexpr std::array anthropic_env = {Words("CLAUDE_API_KEY"), Words("ANTHROPIC_API_KEY")};
constexpr std::array gemini_env = {Words("GEMINI_API_KEY"), Words("GOOGLE_API_KEY")};
constexpr std::array deepseek_env = {Words("DEEPSEEK_API_KEY")};
constexpr std::array qwen_env = {Words("DASHSCOPE_API_KEY")};
constexpr std::array moonshot_env = {Words("MOONSHOT_API_KEY")};
constexpr std::array zhipu_env = {Words("ZHIPU_API_KEY"), Words("ZAI_API_KEY")};
constexpr std::array mistral_env = {Words("MISTRAL_API_KEY")};
constexpr std::array groq_env = {Words("GROQ_API_KEY")};
constexpr std::array xai_env = {Words("XAI_API_KEY")};
constexpr std::array together_env = {Words("TOGETHER_API_KEY")};
constexpr std::array openrouter_env = {Words("OPENROUTER_API_KEY")};
constexpr std::array bedrock_env = {Words("AWS_BEARER_TOKEN_BEDROCK")};
constexpr std::array azure_env = {Words("AZURE_OPENAI_API_KEY"), Words("AZURE_API_KEY")};
constexpr std::array cohere_env = {Words("CO_API_KEY"), Words("COHERE_API_KEY")};

constexpr std::array openai_owns = {Words("gpt-*"),
                                    Words("chatgpt-*"),
                                    Words("o1*"),
                                    Words("o3*"),
                                    Words("o4*"),
                                    Words("codex-*"),
                                    Words("davinci-002"),
                                    Words("babbage-002"),
                                    Words("text-embedding-3-*"),
                                    Words("text-embedding-ada-*"),
                                    Words("omni-moderation-*"),
                                    Words("dall-e-*"),
                                    Words("whisper-*"),
                                    Words("tts-*"),
                                    Words("sora-*")};
constexpr std::array anthropic_owns = {Words("claude-*")};
constexpr std::array gemini_owns = {Words("gemini-*"), Words("gemma-*"), Words("imagen-*"), Words("veo-*")};
constexpr std::array deepseek_owns = {Words("deepseek-*")};
constexpr std::array qwen_owns = {Words("qwen*"), Words("qwq-*")};
constexpr std::array moonshot_owns = {Words("kimi-*"), Words("moonshot-*")};
constexpr std::array zhipu_owns = {Words("glm-*")};
constexpr std::array mistral_owns = {Words("mistral-*"), Words("magistral-*"), Words("codestral-*"),
                                     Words("ministral-*"), Words("devstral-*")};
constexpr std::array xai_owns = {Words("grok-*")};
constexpr std::array cohere_owns = {Words("command-*"), Words("c4ai-*"), Words("embed-*"), Words("rerank-*")};
// Names begin with the maker, or with a group of regions in front of it.
constexpr std::array bedrock_owns = {Words("anthropic.*"),
                                     Words("*.anthropic.*"),
                                     Words("amazon.*"),
                                     Words("*.amazon.*"),
                                     Words("meta.*"),
                                     Words("*.meta.*"),
                                     Words("mistral.*"),
                                     Words("*.mistral.*"),
                                     Words("deepseek.*"),
                                     Words("*.deepseek.*"),
                                     Words("cohere.*"),
                                     Words("*.cohere.*"),
                                     Words("ai21.*"),
                                     Words("openai.*"),
                                     Words("qwen.*"),
                                     Words("minimax.*"),
                                     Words("moonshot*.*"),
                                     Words("zai.*"),
                                     Words("google.*"),
                                     Words("nvidia.*"),
                                     Words("writer.*"),
                                     Words("*.writer.*"),
                                     Words("arn:aws*:bedrock:*")};

constexpr Auth bearer{};

constexpr std::array rows = {
    Provider{.name = "openai",
             .base_url = "https://api.openai.com/v1",
             .auth = bearer,
             .endpoints = openai_paths,
             .key_env = openai_env,
             .owns = openai_owns,
             .flavour = "openai"},
    Provider{.name = "anthropic",
             .base_url = "https://api.anthropic.com",
             .auth = {AuthKind::header, "x-api-key"},
             .endpoints = anthropic_paths,
             .key_env = anthropic_env,
             .owns = anthropic_owns,
             .flavour = "anthropic"},
    Provider{.name = "gemini",
             .base_url = "https://generativelanguage.googleapis.com",
             .auth = {AuthKind::header, "x-goog-api-key"},
             .endpoints = gemini_paths,
             .key_env = gemini_env,
             .owns = gemini_owns,
             .flavour = "gemini"},
    // At the resource's own address, which holds "/openai/v1"; a model is a deployment's name.
    Provider{.name = "azure",
             .base_url = "",
             .auth = {AuthKind::header, "api-key"},
             .endpoints = openai_both,
             .key_env = azure_env,
             .flavour = "azure"},
    Provider{.name = "deepseek",
             .base_url = "https://api.deepseek.com",
             .auth = bearer,
             .endpoints = openai_like,
             .key_env = deepseek_env,
             .owns = deepseek_owns,
             .flavour = "deepseek"},
    Provider{.name = "qwen",
             .base_url = "https://dashscope.aliyuncs.com/compatible-mode/v1",
             .auth = bearer,
             .endpoints = openai_like,
             .key_env = qwen_env,
             .owns = qwen_owns,
             .flavour = "qwen"},
    Provider{.name = "moonshot",
             .base_url = "https://api.moonshot.cn/v1",
             .auth = bearer,
             .endpoints = openai_like,
             .key_env = moonshot_env,
             .owns = moonshot_owns,
             .flavour = "moonshot"},
    Provider{.name = "zhipu",
             .base_url = "https://open.bigmodel.cn/api/paas/v4",
             .auth = bearer,
             .endpoints = openai_like,
             .key_env = zhipu_env,
             .owns = zhipu_owns,
             .flavour = "zhipu"},
    Provider{.name = "mistral",
             .base_url = "https://api.mistral.ai/v1",
             .auth = bearer,
             .endpoints = openai_like,
             .key_env = mistral_env,
             .owns = mistral_owns,
             .flavour = "mistral"},
    Provider{.name = "cohere",
             .base_url = "https://api.cohere.com",
             .auth = bearer,
             .endpoints = cohere_paths,
             .key_env = cohere_env,
             .owns = cohere_owns,
             .flavour = "cohere"},
    Provider{.name = "bedrock",
             .base_url = "https://bedrock-runtime.{region}.amazonaws.com",
             .auth = {.kind = AuthKind::aws, .service = "bedrock"},
             .endpoints = bedrock_paths,
             .key_env = bedrock_env,
             .owns = bedrock_owns,
             .flavour = "bedrock"},
    Provider{.name = "groq",
             .base_url = "https://api.groq.com/openai/v1",
             .auth = bearer,
             .endpoints = openai_like,
             .key_env = groq_env,
             .flavour = "groq"},
    Provider{.name = "xai",
             .base_url = "https://api.x.ai/v1",
             .auth = bearer,
             .endpoints = openai_all,
             .key_env = xai_env,
             .owns = xai_owns,
             .flavour = "xai"},
    Provider{.name = "together",
             .base_url = "https://api.together.xyz/v1",
             .auth = bearer,
             .endpoints = openai_and_text,
             .key_env = together_env,
             .flavour = "together"},
    Provider{.name = "openrouter",
             .base_url = "https://openrouter.ai/api/v1",
             .auth = bearer,
             .endpoints = openai_all,
             .key_env = openrouter_env,
             .flavour = "openrouter"},
    Provider{.name = "ollama",
             .base_url = "http://127.0.0.1:11434/v1",
             .auth = bearer,
             .endpoints = openai_and_text,
             .key_required = false,
             .flavour = "compatible"},
    Provider{.name = "compatible",
             .base_url = "",
             .auth = bearer,
             .endpoints = openai_and_text,
             .key_required = false,
             .flavour = "compatible"},
};

// Names by which people call the same vendor.
struct Alias {
  Words alias, name;
};
constexpr std::array aliases = {Alias{"claude", "anthropic"}, Alias{"google", "gemini"}, Alias{"dashscope", "qwen"},
                                Alias{"kimi", "moonshot"},    Alias{"glm", "zhipu"},     Alias{"zai", "zhipu"},
                                Alias{"grok", "xai"},         Alias{"aws", "bedrock"}};

void append_encoded(std::string& out, std::string_view model) {
  constexpr Words hex = "0123456789ABCDEF";
  for (const char c : model) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~' || c == '@';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += hex[byte >> 4];
      out += hex[byte & 15];
    }
  }
}

}  // namespace

std::span<const Provider> providers() {
  return rows;
}

const Provider* provider(std::string_view name) {
  for (const Alias& a : aliases) {
    if (a.alias == name) name = a.name;
  }
  for (const Provider& p : rows) {
    if (p.name == name) return &p;
  }
  return nullptr;
}

const Endpoint* endpoint(const Provider& provider, DialectId dialect, Operation operation,
                         std::optional<std::string_view> model) {
  for (const Endpoint& e : provider.endpoints) {
    if (e.dialect != dialect || e.operation != operation) continue;
    const auto fits = [&](Words pattern) { return wildcard_match(pattern, *model); };
    if (e.models.empty() || !model || std::ranges::any_of(e.models, fits)) return &e;
  }
  return nullptr;
}

std::string call_path(std::string_view base_path, const Endpoint& endpoint, std::string_view model, bool stream) {
  std::string_view path = stream && !endpoint.stream_path.empty() ? endpoint.stream_path : endpoint.path;
  while (base_path.ends_with('/')) base_path.remove_suffix(1);
  if (const auto slash = path.find('/', 1); slash != Words::npos) {
    if (const Words version = path.substr(0, slash); version.starts_with("/v") && base_path.ends_with(version))
      path.remove_prefix(slash);
  }
  std::string out(base_path);
  const auto at = path.find("{model}");
  out += path.substr(0, at);
  if (at != Words::npos) {
    append_encoded(out, model);
    out += path.substr(at + 7);
  }
  return out;
}

}  // namespace sluice
