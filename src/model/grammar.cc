// SPDX-License-Identifier: MIT
#include "model/grammar.h"

namespace sluice {
namespace {

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};

}  // namespace

std::string Grammar::check(const Event& event) {
  if (over_) return "an event after the end";
  if (const bool is_begin = std::holds_alternative<Begin>(event); is_begin == begun_) {
    if (is_begin) return "a second begin";
    if (!std::holds_alternative<Failed>(event)) return "an event before begin";
  }
  const auto inside = [&](std::int64_t choice, std::int64_t block, const char* what) -> std::string {
    const auto& state = choices_[choice];
    if (!state.open) return std::string(what) + " outside a block";
    if (block != state.next - 1)
      return std::string(what) + " for block " + std::to_string(block) + " while another is open";
    return {};
  };
  return std::visit(Overloaded{
                        [&](const Begin&) -> std::string {
                          begun_ = true;
                          return {};
                        },
                        [&](const BlockStart& e) -> std::string {
                          auto& state = choices_[e.choice];
                          if (state.finished) return "a block after finish";
                          if (state.open) return "a block inside a block";
                          if (e.block != state.next) return "block numbers must count up by one";
                          state.open = true;
                          ++state.next;
                          return {};
                        },
                        [&](const Delta& e) -> std::string { return inside(e.choice, e.block, "a delta"); },
                        [&](const CitationSeen& e) -> std::string {
                          const auto& state = choices_[e.choice];
                          if (state.finished) return "a citation after finish";
                          if (state.open) return inside(e.choice, e.block, "a citation");
                          return e.block >= 0 && e.block < state.next ? "" : "a citation outside a block";
                        },
                        [&](const BlockStop& e) -> std::string {
                          if (auto fault = inside(e.choice, e.block, "a block stop"); !fault.empty()) return fault;
                          choices_[e.choice].open = false;
                          return {};
                        },
                        [&](const Finish& e) -> std::string {
                          auto& state = choices_[e.choice];
                          if (state.open) return "finish inside a block";
                          if (state.finished) return "a second finish";
                          state.finished = true;
                          return {};
                        },
                        [&](const End&) -> std::string {
                          for (const auto& [index, state] : choices_) {
                            if (state.open) return "the end inside a block";
                            if (!state.finished) return "the end without a finish of choice " + std::to_string(index);
                          }
                          over_ = true;
                          return {};
                        },
                        [&](const Failed&) -> std::string {
                          over_ = true;
                          return {};
                        },
                        [](const UsageSeen&) -> std::string { return {}; },
                        [](const Ping&) -> std::string { return {}; },
                        [](const OpaqueEvent&) -> std::string { return {}; },
                    },
                    event);
}

std::string Grammar::check_end() const {
  return over_ ? std::string() : "the stream stopped without an end";
}

}  // namespace sluice
