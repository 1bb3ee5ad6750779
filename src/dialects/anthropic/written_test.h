// Requests as other dialects' clients make them, and what becomes of them here. SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "dialects/anthropic/anthropic.h"

namespace sluice::anthropic::trial {

inline Turn turn(Role role, std::string text) {
  Turn out{.role = role, .plain_string = true};
  out.parts.push_back({.body = Text{.text = std::move(text)}});
  return out;
}

inline Turn result(std::string id, std::string text) {
  ToolResult body{.call_id = std::move(id), .plain_string = true};
  body.parts.push_back({.body = Text{.text = std::move(text)}});
  Turn out{.role = Role::tool};
  out.parts.push_back({.body = std::move(body)});
  return out;
}

inline Part call(std::string id, std::string name, std::string arguments) {
  return {.body = ToolCall{.id = std::move(id), .name = std::move(name), .arguments = std::move(arguments)}};
}

// A request as a Chat client makes it.
inline ChatRequest chat(std::string_view model) {
  ChatRequest request;
  request.model = model;
  request.max_output = 1000;
  request.max_output_field = "max_tokens";
  request.turns.push_back(turn(Role::user, "Hello"));
  return request;
}

class Written {
 public:
  Written(const ChatRequest& request, std::string_view model, bool stream = false)
      : outcome_(write_request(request, {.model = model, .provider = "anthropic", .stream = stream}, notes_)) {
    if (outcome_) root_ = doc_.parse(outcome_->body).value_or(json::Value());
  }
  explicit Written(const ChatRequest& request) : Written(request, request.model) {}

  [[nodiscard]] json::Value operator[](std::string_view key) const { return root_[key]; }
  [[nodiscard]] std::string raw(std::string_view key) const { return std::string(root_[key].raw()); }
  [[nodiscard]] const Result<WireRequest>& outcome() const { return outcome_; }
  [[nodiscard]] std::string header(std::string_view name) const {
    for (const auto& [key, value] : outcome_->headers) {
      if (key == name) return value;
    }
    return {};
  }
  [[nodiscard]] bool noted(NoteKind kind, std::string_view pointer) const {
    return std::ranges::any_of(notes_.all(), [&](const Note& n) { return n.kind == kind && n.pointer == pointer; });
  }
  [[nodiscard]] const Notes& notes() const { return notes_; }

 private:
  Notes notes_;
  Result<WireRequest> outcome_;
  json::Document doc_;
  json::Value root_;
};

}  // namespace sluice::anthropic::trial
