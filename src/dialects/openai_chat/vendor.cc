// SPDX-License-Identifier: MIT
#include "dialects/openai_chat/vendor.h"

#include <array>
#include <charconv>
#include <cstdlib>

namespace sluice::openai_chat {
namespace {

using Words = std::string_view;

constexpr std::array openai_extras = {
    Words("store"),           Words("audio"),     Words("prediction"),           Words("web_search_options"),
    Words("moderation"),      Words("functions"), Words("prompt_cache_options"), Words("prompt_cache_retention"),
    Words("prompt_cache_key")};
constexpr std::array mistral_extras = {Words("safe_prompt"), Words("prompt_mode"), Words("prediction"),
                                       Words("document_image_limit"), Words("document_page_limit")};
constexpr std::array groq_extras = {Words("reasoning_format"), Words("include_reasoning"), Words("search_settings"),
                                    Words("documents"),        Words("compound_custom"),   Words("citation_options")};

// Belongs to OpenAI alone; everybody else refuses it or does not understand it.
constexpr FieldSet openai_only = {Field::metadata,   Field::service_tier, Field::cache_key,
                                  Field::cache_auto, Field::verbosity,    Field::modalities,
                                  Field::safety,     Field::display,      Field::logit_bias};
constexpr FieldSet with(FieldSet set, std::initializer_list<Field> more) {
  set.bits |= FieldSet(more).bits;
  return set;
}
constexpr FieldSet without(FieldSet set, std::initializer_list<Field> less) {
  set.bits &= ~FieldSet(less).bits;
  return set;
}

constexpr std::array vendors = {
    Vendor{.name = "openai",
           .refused = {Field::top_k, Field::min_p, Field::cache_auto, Field::safety, Field::display},
           .known_extras = openai_extras,
           .any_extra = false,
           .developer = true,
           .strict = true,
           .lists = true,
           .custom_tools = true,
           .allowed_tools = true,
           .max_field = "max_completion_tokens",
           .reasoning_field = "",
           .schemas = SchemaForm::object},
    Vendor{.name = "azure",
           .refused = {Field::top_k, Field::min_p, Field::cache_auto, Field::safety, Field::display},
           .known_extras = openai_extras,
           .any_extra = false,
           .developer = true,
           .strict = true,
           .lists = true,
           .custom_tools = true,
           .allowed_tools = true,
           .max_field = "max_completion_tokens",
           .reasoning_field = "",
           .schemas = SchemaForm::object},
    Vendor{.name = "deepseek",
           .refused = with(openai_only, {Field::seed, Field::top_k, Field::min_p, Field::n, Field::parallel_tools}),
           .json_schema = false,
           .reasoning_after_calls = true,
           .effort = EffortForm::thinking},
    Vendor{.name = "qwen",
           .refused = with(without(openai_only, {Field::cache_auto}), {Field::min_p}),
           .cache_control = true,
           .effort = EffortForm::enable},
    Vendor{.name = "moonshot",
           .refused = with(openai_only, {Field::seed, Field::top_k, Field::min_p, Field::parallel_tools}),
           .max_field = "max_completion_tokens",
           .prefill = "partial",
           .effort = EffortForm::thinking,
           .schemas = SchemaForm::moonshot},
    Vendor{.name = "zhipu",
           .refused =
               with(openai_only, {Field::presence_penalty, Field::frequency_penalty, Field::top_k, Field::min_p,
                                  Field::seed, Field::n, Field::parallel_tools, Field::logprobs, Field::top_logprobs}),
           .names = false,
           .stream_options = false,
           .forced_tools = false,
           .json_schema = false,
           .effort = EffortForm::thinking},
    Vendor{
        .name = "mistral",
        .refused = with(openai_only, {Field::top_k, Field::min_p, Field::logprobs, Field::top_logprobs, Field::user}),
        .known_extras = mistral_extras,
        .any_extra = false,
        .names = false,
        .stream_options = false,
        .strict = true,
        .lists = true,
        .nine_letter_ids = true,
        .reasoning_field = "",
        .prefill = "prefix"},
    Vendor{.name = "groq",
           .refused = with(without(openai_only, {Field::service_tier}),
                           {Field::logprobs, Field::top_logprobs, Field::n, Field::top_k, Field::min_p}),
           .known_extras = groq_extras,
           .any_extra = false,
           .names = false,
           .strict = true,
           .max_field = "max_completion_tokens",
           .reasoning_field = "reasoning"},
    Vendor{.name = "xai",
           .refused = with(openai_only, {Field::top_k, Field::min_p}),
           .strict = true,
           .max_field = "max_completion_tokens"},
    Vendor{.name = "together", .refused = without(openai_only, {Field::logit_bias}), .reasoning_field = "reasoning"},
    Vendor{.name = "openrouter",
           .refused = {Field::metadata, Field::safety},
           .strict = true,
           .lists = true,
           .cache_control = true,
           .reasoning_field = "reasoning",
           .reasoning_details = true,
           .effort = EffortForm::object},
    // A server that we know nothing about, reached by its address: what its own dialect's client said is passed on.
    Vendor{.name = "compatible",
           .refused = {Field::safety},
           .developer = true,
           .strict = true,
           .lists = true,
           .custom_tools = true,
           .allowed_tools = true,
           .cache_control = true,
           .reasoning_details = true},
};

constexpr std::array o_efforts = {Words("low"), Words("medium"), Words("high")};
constexpr std::array efforts_5 = {Words("minimal"), Words("low"), Words("medium"), Words("high")};
constexpr std::array efforts_51 = {Words("none"), Words("low"), Words("medium"), Words("high")};
constexpr std::array efforts_52 = {Words("none"), Words("low"), Words("medium"), Words("high"), Words("xhigh")};
constexpr std::array efforts_6 = {Words("none"), Words("low"),   Words("medium"),
                                  Words("high"), Words("xhigh"), Words("max")};
constexpr std::array efforts_6_thinking = {Words("low"), Words("medium"), Words("high"), Words("xhigh"), Words("max")};

// "gpt-5.6-mini" -> 506; 0 when it is no gpt.
int gpt_version(std::string_view model) {
  if (!model.starts_with("gpt-")) return 0;
  model.remove_prefix(4);
  int major = 0;
  const auto [end, code] = std::from_chars(model.data(), model.data() + model.size(), major);
  if (code != std::errc()) return 0;
  model.remove_prefix(static_cast<std::size_t>(end - model.data()));
  int minor = 0;
  if (model.starts_with('.')) std::from_chars(model.data() + 1, model.data() + model.size(), minor);
  return major * 100 + minor;
}

}  // namespace

const Vendor& vendor(std::string_view name) {
  for (const Vendor& one : vendors) {
    if (one.name == name) return one;
  }
  return vendors.back();
}

ModelRules model_rules(std::string_view model) {
  if (const auto slash = model.rfind('/'); slash != std::string_view::npos) model.remove_prefix(slash + 1);
  if (model.size() >= 2 && model[0] == 'o' && model[1] >= '1' && model[1] <= '9') {
    return {.reasoning = true, .stop = model[1] < '3', .sampling = false, .efforts = o_efforts};
  }
  const int version = gpt_version(model);
  if (version < 500 || model.find("-chat") != std::string_view::npos) return {};
  if (version == 500) return {.reasoning = true, .stop = false, .sampling = false, .efforts = efforts_5};
  ModelRules rules{.reasoning = true,
                   .stop = false,
                   .efforts = version < 502 ? std::span<const Words>(efforts_51) : std::span<const Words>(efforts_52)};
  rules.sampling = version < 506;
  rules.sampling_at_none = version < 600;
  rules.tools_need_none = version >= 504;
  rules.tools_need_none_said = version >= 506;
  if (version >= 600) {
    rules.efforts = efforts_6;
    if (model.find("astra") != std::string_view::npos ||
        (version >= 601 && model.find("sol") != std::string_view::npos)) {
      rules.efforts = efforts_6_thinking;
      rules.no_tools = true;
    }
  }
  return rules;
}

std::string_view nearest_effort(const ModelRules& rules, std::string_view effort) {
  if (rules.efforts.empty()) return effort;
  constexpr std::array order = {Words("none"), Words("minimal"), Words("low"), Words("medium"),
                                Words("high"), Words("xhigh"),   Words("max")};
  const auto rank = [&](std::string_view word) {
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (order[i] == word) return static_cast<int>(i);
    }
    return 3;
  };
  std::string_view best = rules.efforts.front();
  for (const std::string_view word : rules.efforts) {
    // Of two equally near words the higher one: less thinking than asked is the worse surprise.
    if (std::abs(rank(word) - rank(effort)) <= std::abs(rank(best) - rank(effort))) best = word;
  }
  // Some thinking asked for is never turned off.
  if (best == "none" && effort != "none" && rules.efforts.size() > 1) best = rules.efforts[1];
  return best;
}

}  // namespace sluice::openai_chat
