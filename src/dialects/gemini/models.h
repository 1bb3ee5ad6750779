// What each Gemini model takes and refuses: a table of facts (protocols: Gemini, sections 3 and 4), and the arithmetic
// between effort, level and budget. Not here: what a request says about it (thinking.cc).
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::gemini {

enum class Control : std::uint8_t {
  none,    // the model does not think, or not on demand
  budget,  // thinkingBudget
  level,   // thinkingLevel
};

struct ModelRules {
  Control control = Control::level;
  std::int64_t least = 0, most = 0;  // of the budget
  bool off = false;                  // budget 0 is taken
  bool minimal = false;              // level MINIMAL is taken
  bool medium = true;                // level MEDIUM is taken
  bool signatures = true;            // refuses an unsigned functionCall in the current turn
  bool json_schema = true;           // takes parametersJsonSchema and responseJsonSchema
  bool format_with_tools = true;     // takes structured output beside function tools
  bool mixed_tools = true;           // takes function tools beside tools of the vendor
  bool media_in_results = true;      // takes functionResponse.parts
  bool media_resolution = true;      // takes mediaResolution on a part
  bool public_urls = true;           // fetches https addresses itself
  bool penalties = false;            // takes presencePenalty and frequencyPenalty
  bool validated = true;             // takes mode VALIDATED
  bool ids = true;                   // takes functionCall.id everywhere
};

// The rules of a model by any of its names ("gemini-2.5-flash-lite-preview-06-17", "models/gemini-flash-latest",
// "publishers/google/models/gemini-4-argon"). What the table does not know gets the rules of the newest line.
[[nodiscard]] ModelRules model_rules(std::string_view model);

// "low", "xhigh" … to a budget inside the model's range, and back.
[[nodiscard]] std::int64_t budget_of(std::string_view effort, const ModelRules& rules);
[[nodiscard]] std::string_view effort_of(std::int64_t budget);
// The level nearest to the effort that the model takes: "MINIMAL", "LOW", "MEDIUM", "HIGH".
[[nodiscard]] std::string_view level_of(std::string_view effort, const ModelRules& rules);

// "models/x" and "publishers/google/models/x" -> "x"; other names, tunedModels/x among them, stay.
[[nodiscard]] std::string_view bare_model(std::string_view model);

}  // namespace sluice::gemini
