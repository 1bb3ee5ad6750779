// The conversation -> a body for generateContent. SPDX-License-Identifier: MIT
#include <algorithm>

#include "base/text.h"
#include "dialects/body_size.h"
#include "dialects/gemini/codec.h"
#include "dialects/gemini/settings.h"
#include "dialects/gemini/turns.h"
#include "dialects/pointer.h"
#include "dialects/spare.h"

namespace sluice::gemini {
namespace {

constexpr DialectId self = DialectId::gemini;

// Labels of Vertex: short lower-case words.
bool good_label(std::string_view text) {
  return text.size() <= 63 && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
         });
}

void write_labels(json::Writer& out, const ChatRequest& request, const Destination& to, Notes& notes) {
  if (!request.metadata) return;
  if (request.origin == self) {
    out.member_raw("labels", *request.metadata);
    return;
  }
  const std::string at = pointer_to(request, Field::metadata);
  if (to.provider != "vertex") {
    notes.lost(at, "gemini has no metadata");
    return;
  }
  json::Document doc;
  const auto root = doc.parse(*request.metadata);
  if (!root) return;
  std::string text;
  json::Writer w(text);
  w.begin_object();
  for (const auto [key, value] : root->members()) {
    const std::string word = value.text();
    if (!key.empty() && good_label(key) && value.is_string() && good_label(word)) {
      w.member(key, word);
    } else {
      notes.lost(at + '/' + json::pointer_token(key), "labels are short lower-case words");
    }
  }
  w.end_object();
  if (text.size() > 2) out.member_raw("labels", text);
}

void write_tier(json::Writer& out, const ChatRequest& request, Notes& notes) {
  if (!request.service_tier) return;
  const std::string& tier = *request.service_tier;
  if (request.origin == self || tier == "standard" || tier == "flex" || tier == "priority") {
    out.member("serviceTier", tier);
    return;
  }
  const std::string at = pointer_to(request, Field::service_tier);
  if (tier == "default" || tier == "standard_only") {
    out.member("serviceTier", "standard");
    notes.restated(at, "gemini calls it standard");
  } else {
    notes.lost(at, "gemini has the tiers standard, flex and priority");
  }
}

}  // namespace

Result<WireRequest> write_request(const ChatRequest& request, const Destination& to, Notes& notes) {
  const ModelRules rules = model_rules(to.model);
  const bool own = request.origin == self;
  std::string hint;
  const std::string generation = write_generation(request, to, rules, hint, notes);

  WireRequest out;
  out.body.reserve(body_size(request));
  json::Writer w(out.body);
  w.begin_object();
  TRY_VOID(write_turns(w, request, to, rules, hint, notes));
  TRY_VOID(write_tools(w, request, to, rules, notes));
  if (request.safety) w.member_raw("safetySettings", *request.safety);
  if (!generation.empty()) w.member_raw("generationConfig", generation);
  write_tier(w, request, notes);
  write_labels(w, request, to, notes);
  const auto lost = [&](bool said, Field field, std::string_view reason) {
    if (said) notes.lost(pointer_to(request, field), reason);
  };
  lost(request.user.has_value(), Field::user, "gemini has no end-user id");
  lost(request.verbosity.has_value(), Field::verbosity, "gemini has no verbosity");
  lost(request.cache_key.has_value(), Field::cache_key, "gemini caches on its own");
  lost(request.cache_auto.has_value(), Field::cache_auto, "gemini caches on its own");
  if (own) {
    for (const Extra& x : request.extras.members) {
      if (x.key != "generationConfig" && x.key != "toolConfig") w.member_raw(x.key, x.raw);
    }
  } else {
    note_extras(request.extras, self, "", notes);
    const bool anthropic = request.origin == DialectId::anthropic;
    note_extras(request.reasoning.extras, self, anthropic ? "/thinking" : "", notes);
  }
  w.end_object();
  return out;
}

}  // namespace sluice::gemini
