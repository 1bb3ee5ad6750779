// What is known of models: whose they are, how much they hold, what they can, what they cost. A table of public data
// (models.txt, in the binary; or a file of the same form), searched as text: nothing is read before somebody asks.
// Not here: which models a gateway serves (config), the formula (price.h), where the table comes from (price_table.h).
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pricing/price.h"

namespace sluice {

// The table that the binary carries.
extern const std::string_view built_in_models;

// One model of one vendor. Views are good as long as the catalogue is.
struct CatalogueRow {
  std::string_view vendor;             // a provider's name, or a vendor's that has none here
  std::string_view model;              // in lower case
  std::string_view mode;               // "chat", "embedding", "rerank" …
  std::optional<std::int64_t> window;  // tokens of input that it takes
  std::optional<std::int64_t> answer;  // tokens of output at most
  std::string_view until;              // the day of its end, "2026-10-01"; empty: none is known
  std::string_view abilities;          // "tools,vision"
  Price price;                         // empty: not known
  [[nodiscard]] bool can(std::string_view ability) const;
};

// A row as the table has it, without its line's end.
[[nodiscard]] std::string write_row(const CatalogueRow& row);

class Catalogue {
 public:
  [[nodiscard]] static const Catalogue& built_in();
  // A table of one's own. Errors: bad_request, with the line and what is wrong there.
  [[nodiscard]] static Result<std::shared_ptr<const Catalogue>> read(std::string text);
  Catalogue(const Catalogue&) = delete;  // rows point into it

  // The row of a model as its vendor calls it. `region`: where its calls go, for vendors whose prices differ by it. A
  // version by date that is not listed gets what all listed ones of that name agree on, and nothing else: where their
  // prices differ, the price stays unknown. nullopt: nothing is known of that name.
  [[nodiscard]] std::optional<CatalogueRow> find(std::string_view vendor, std::string_view model,
                                                 std::string_view region = {}) const;
  // In the order of the table; of one vendor, or of all.
  [[nodiscard]] std::vector<CatalogueRow> rows(std::string_view vendor = {}) const;

 private:
  Catalogue() = default;
  void look_at(std::string_view text);
  [[nodiscard]] std::size_t first_from(std::string_view key) const;
  [[nodiscard]] std::optional<CatalogueRow> exact(std::string_view key) const;
  [[nodiscard]] std::optional<CatalogueRow> by_date(std::string_view key) const;
  std::string own_;
  std::string_view body_;  // the rows, sorted by "vendor/model"
};

}  // namespace sluice
