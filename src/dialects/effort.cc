// SPDX-License-Identifier: MIT
#include "dialects/effort.h"

namespace sluice {
namespace {

struct Step {
  std::string_view effort;
  std::int64_t budget;  // what the word asks for, and the most that is still called by it
};
constexpr Step steps[] = {{"none", 0},     {"minimal", 512}, {"low", 1024},  {"medium", 8192},
                          {"high", 24576}, {"xhigh", 32768}, {"max", 128000}};

}  // namespace

std::int64_t budget_of_effort(std::string_view effort) {
  for (const Step& step : steps) {
    if (step.effort == effort) return step.budget;
  }
  return 8192;
}

std::string_view effort_of_budget(std::int64_t budget) {
  if (budget < 0) return "medium";
  for (const Step& step : steps) {
    if (budget <= step.budget) return step.effort;
  }
  return "max";
}

}  // namespace sluice
