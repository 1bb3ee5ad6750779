// SPDX-License-Identifier: MIT
#include "dialects/bedrock_converse/fields.h"

#include <algorithm>
#include <array>

#include "dialects/anthropic/thinking.h"
#include "dialects/effort.h"
#include "dialects/spare.h"

namespace sluice::bedrock_converse {
namespace {

using json::Value;

constexpr std::string_view name_of_fields = "additionalModelRequestFields";
constexpr std::string_view root = "/additionalModelRequestFields/";

ReasoningMode mode_of(Value type) {
  if (type.equals("enabled")) return ReasoningMode::on;
  if (type.equals("adaptive")) return ReasoningMode::automatic;
  return type.equals("disabled") ? ReasoningMode::off : ReasoningMode::unset;
}

// The members by which a model is told to think.
struct Form {
  std::string_view word;  // of the fields
  ThinkingForm form;
  std::string_view budget, effort;  // inside; empty: it has none
};
constexpr std::array forms = std::to_array<Form>({
    {"thinking", ThinkingForm::claude, "budget_tokens", ""},
    {"reasoning_config", ThinkingForm::claude, "budget_tokens", ""},
    {"reasoningConfig", ThinkingForm::nova, "budgetTokens", "maxReasoningEffort"},
    {"reasoning_effort", ThinkingForm::flat, "", ""},
    {"reasoning", ThinkingForm::nested, "", "effort"},
});

const Form* form_called(std::string_view word) {
  const auto row = std::ranges::find(forms, word, &Form::word);
  return row == forms.end() ? nullptr : &*row;
}

// False: it is in another shape than what is known, and stays as it is.
bool read_thinking(const Form& form, Value value, ReasoningAsk& ask) {
  if (!remembered(ask.extras, self, "place").empty()) return false;
  if (form.form == ThinkingForm::flat) {
    if (!value.is_string()) return false;
    ask.effort = value.text();
  } else {
    const ReasoningMode mode = mode_of(value["type"]);
    if (form.form != ThinkingForm::nested && mode == ReasoningMode::unset) return false;
    if (form.form == ThinkingForm::nested && !value["effort"].is_string()) return false;
    ask.mode = mode;
    if (!form.budget.empty()) ask.budget = value[form.budget].integer();
    if (!form.effort.empty()) ask.effort = value[form.effort].text();
    if (form.form == ThinkingForm::claude) ask.display = value["display"].text();
    for (const auto [key, inner] : value.members()) {
      const bool known = (key == "type" && mode != ReasoningMode::unset) || key == form.budget || key == form.effort ||
                         (key == "display" && form.form == ThinkingForm::claude);
      if (!known && !inner.is_null()) ask.extras.add(self, key, inner.raw());
    }
  }
  remember(ask.extras, self, "place", std::string(root) + std::string(form.word));
  return true;
}

// output_config.effort of Claude; true when that is all there is.
bool read_claude_effort(Value value, ReasoningAsk& ask) {
  if (value.size() != 1 || !value["effort"].is_string() || !ask.effort.empty()) return false;
  ask.effort = value["effort"].text();
  remember(ask.extras, self, "effort", std::string(root) + "output_config/effort");
  return true;
}

bool read_top_k(std::string_view place, Value value, ChatRequest& request) {
  if (!value.is_number() || request.sampling.top_k) return false;
  request.sampling.top_k = std::string(value.raw());
  remember(request.extras, self, "top_k", std::string(root) + std::string(place));
  return true;
}

bool read_parallel(Value value, ChatRequest& request) {
  const auto off = value["disable_parallel_tool_use"].boolean();
  if (!off || value.size() != 2 || !value["type"].equals("auto")) return false;
  request.parallel_tools = !*off;
  return true;
}

bool read_field(std::string_view key, Value value, ChatRequest& request) {
  if (const Form* form = form_called(key)) return read_thinking(*form, value, request.reasoning);
  if (key == "top_k" || key == "topK") return read_top_k(key, value, request);
  if (key == "inferenceConfig" && value.size() == 1) return read_top_k("inferenceConfig/topK", value["topK"], request);
  if (key == "output_config") return read_claude_effort(value, request.reasoning);
  if (key == "tool_choice") return read_parallel(value, request);
  return value.is_null();
}

// A word of Claude's form, planned as the vendor's own dialect does it.
Thinking plan_claude(const Writing& w, std::optional<std::int64_t>& max_tokens) {
  anthropic::Thinking plan =
      anthropic::plan_thinking(w.request, w.rules.claude_rules, w.to, w.own, max_tokens, w.notes);
  if (plan.type == "enabled" && !max_tokens && !w.own) {
    max_tokens = w.rules.claude_rules.max_output;
    w.notes.added(pointer_to(w.request, Field::max_output),
                  "a thinking budget needs a limit above it: the model's own");
  }
  return {.form = ThinkingForm::claude,
          .word = std::move(plan.type),
          .budget = plan.budget,
          .effort = std::move(plan.effort),
          .display = std::move(plan.display)};
}

// Efforts of models that know three of them.
std::string of_three(const Writing& w, std::string_view effort) {
  if (effort == "low" || effort == "medium" || effort == "high") return std::string(effort);
  w.restated(Field::effort, "this model does not know this effort");
  return effort == "minimal" || effort == "none" ? "low" : "high";
}

Thinking plan_effort(const Writing& w) {
  const ReasoningAsk& ask = w.request.reasoning;
  Thinking out{.form = w.rules.thinking};
  if (!ask.display.empty()) w.lost(Field::display, "this model has no say in how thinking is shown");
  const bool off = ask.mode == ReasoningMode::off || ask.effort == "none" || ask.budget == 0;
  if (out.form == ThinkingForm::none) {
    const Field said = ask.budget ? Field::budget : !ask.effort.empty() ? Field::effort : Field::reasoning;
    if (!off) w.lost(said, "how this model thinks cannot be set");
    if (off) w.restated(said, "how this model thinks cannot be set");
    return out;
  }
  const bool nova = out.form == ThinkingForm::nova;
  if (off) {
    if (nova) out.word = "disabled";
    if (!nova) out.effort = of_three(w, "none");
    return out;
  }
  if (nova) out.word = "enabled";
  if (!ask.effort.empty()) {
    out.effort = of_three(w, ask.effort);
    if (ask.budget) w.lost(Field::budget, "this model takes an effort instead of a budget");
  } else {
    w.restated(ask.budget ? Field::budget : Field::reasoning, "this model takes an effort instead of a budget");
    out.effort = of_three(w, effort_of_budget(ask.budget.value_or(-1)));
  }
  return out;
}

// The client's own words.
Thinking said(const Writing& w) {
  const ReasoningAsk& ask = w.request.reasoning;
  Thinking out{.budget = ask.budget, .effort = ask.effort, .display = ask.display};
  switch (ask.mode) {
    case ReasoningMode::unset: break;
    case ReasoningMode::off: out.word = "disabled"; break;
    case ReasoningMode::automatic: out.word = "adaptive"; break;
    case ReasoningMode::on: out.word = "enabled"; break;
  }
  return out;
}

// One form's member of the fields.
void write_form(Writing& w, const Form& form, const Thinking& thinking, bool effort_apart) {
  json::Writer& out = w.out;
  if (form.form == ThinkingForm::flat) {
    if (!thinking.effort.empty()) out.member(form.word, thinking.effort);
    return;
  }
  out.key(form.word).begin_object();
  if (!thinking.word.empty()) out.member("type", thinking.word);
  if (!form.budget.empty() && thinking.budget) out.member(form.budget, *thinking.budget);
  if (!form.effort.empty() && !effort_apart && !thinking.effort.empty()) out.member(form.effort, thinking.effort);
  if (form.form == ThinkingForm::claude && !thinking.display.empty()) out.member("display", thinking.display);
  write_extras(out, w.request.reasoning.extras, self, pointer_to(w.request, Field::reasoning), w.notes);
  out.end_object();
}

const Form* form_of(const Writing& w, const Thinking& thinking) {
  if (!w.own) {
    const auto row = std::ranges::find(forms, thinking.form, &Form::form);
    const bool said = !thinking.word.empty() || (thinking.form != ThinkingForm::claude && !thinking.effort.empty());
    return row == forms.end() || !said ? nullptr : &*row;
  }
  const std::string_view place = remembered(w.request.reasoning.extras, self, "place");
  return place.empty() ? nullptr : form_called(place.substr(root.size()));
}

}  // namespace

void read_fields(Value fields, ChatRequest& request) {
  for (const auto [key, value] : fields.members()) {
    if (!read_field(key, value, request)) add_inner(request.extras, self, name_of_fields, key, value.raw());
  }
}

Thinking plan_thinking(const Writing& w, std::optional<std::int64_t>& max_tokens) {
  const ReasoningAsk& ask = w.request.reasoning;
  if (w.own) return said(w);
  const bool asks = ask.mode != ReasoningMode::unset || !ask.effort.empty() || ask.budget;
  if (!asks) {
    if (!ask.display.empty()) w.lost(Field::display, "there is no thinking to show");
    return {};
  }
  return w.rules.thinking == ThinkingForm::claude ? plan_claude(w, max_tokens) : plan_effort(w);
}

void write_fields(Writing& w, const Thinking& thinking) {
  const ChatRequest& request = w.request;
  const Form* form = form_of(w, thinking);
  const std::string_view effort_place =
      w.own ? remembered(request.reasoning.extras, self, "effort") : std::string_view();
  const bool claude_effort =
      w.own ? effort_place.starts_with(root) : thinking.form == ThinkingForm::claude && !thinking.effort.empty();
  const std::string_view own_top_k = w.own ? remembered(request.extras, self, "top_k") : std::string_view();
  const std::string_view top_k = w.own && !own_top_k.empty() ? own_top_k.substr(root.size()) : w.rules.top_k;
  bool says_top_k = request.sampling.top_k && !top_k.empty();
  if (request.sampling.top_k && !w.own) {
    const bool refused = w.rules.claude && (!w.rules.claude_rules.sampling || thinking.on());
    if (top_k.empty() || refused) w.lost(Field::top_k, "this model takes no top_k");
    says_top_k = says_top_k && !refused;
  }
  if (!form && request.reasoning.extras.origin != self) {
    note_extras(request.reasoning.extras, self, pointer_to(request, Field::reasoning), w.notes);
  }
  if (!form && !claude_effort && !says_top_k && !w.no_parallel &&
      !has_inner_extras(request.extras, self, name_of_fields)) {
    return;
  }
  w.out.key(name_of_fields).begin_object();
  if (form) write_form(w, *form, thinking, !effort_place.empty());
  if (claude_effort) w.out.key("output_config").begin_object().member("effort", thinking.effort).end_object();
  if (says_top_k) {
    const auto slash = top_k.find('/');
    const bool inner = slash != std::string_view::npos;
    if (inner) w.out.key(top_k.substr(0, slash)).begin_object();
    w.out.member_raw(inner ? top_k.substr(slash + 1) : top_k, *request.sampling.top_k);
    if (inner) w.out.end_object();
  }
  if (w.no_parallel) {
    w.out.key("tool_choice").begin_object().member("type", "auto");
    w.out.member_bool("disable_parallel_tool_use", *w.no_parallel).end_object();
  }
  write_inner_extras(w.out, request.extras, self, name_of_fields);
  w.out.end_object();
}

}  // namespace sluice::bedrock_converse
