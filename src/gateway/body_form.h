// A request's body in the form that a cloud wants (providers/provider.h, BodyForm). SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "dialects/dialect.h"
#include "providers/provider.h"

namespace sluice {

// What must be changed in the body. `fields` are the dialect's own headers: those that stand in the body here are taken
// out of them. Notes: lost words of such a header.
[[nodiscard]] std::vector<json::Edit> form_edits(const BodyForm& form, const std::vector<json::TopMember>& members,
                                                 std::vector<Header>& fields, Notes& notes);

// The text with top-level members set, added and dropped, by the spans that a walk has found; other edits go through
// json::apply.
[[nodiscard]] Result<std::string> splice(std::string_view text, const std::vector<json::TopMember>& members,
                                         const std::vector<json::Edit>& edits);

}  // namespace sluice
