// Finding the targets of a request: what it holds, as far as routes ask for it, and the plan made of that.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "gateway/stages.h"
#include "policy/plan.h"

namespace sluice {

// Tokens of output that a request is taken to get where it allows so many.
inline constexpr std::int64_t usual_answer = 500;

// Reads the conversation at the first question that needs it.
class ChatFeatures final : public Features {
 public:
  // Must outlive it.
  explicit ChatFeatures(const Intake& intake) : intake_(intake) {}
  [[nodiscard]] std::string_view header(std::string_view name) override;
  [[nodiscard]] bool tools() override;
  [[nodiscard]] bool vision() override;
  [[nodiscard]] std::int64_t tokens() override;
  [[nodiscard]] std::int64_t answer() override;
  [[nodiscard]] std::uint64_t beginning() override;

 private:
  [[nodiscard]] const ChatRequest* conversation();
  const Intake& intake_;
  std::optional<Result<ChatRequest>> read_;
};

// What the order depends on, as this exchange's worker knows it.
[[nodiscard]] Odds odds(Exchange& ex);
// Also tells the exchange which route it takes. Errors: as plan(); forbidden, by the caller's key.
[[nodiscard]] Result<std::vector<Target>> find_targets(Exchange& ex, std::string_view model, bool stream,
                                                       Features& features);

}  // namespace sluice
