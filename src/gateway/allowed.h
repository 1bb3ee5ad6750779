// What the caller's key allows of what a request asks for: models and backends. What it allows of the call itself, when
// and from where, was judged with the key (policy/directory.h). SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "config/snapshot.h"
#include "gateway/exchange.h"
#include "gateway/operations.h"

namespace sluice {

// Leaves those that the key may use. A model may be asked for by its name, or as "backend/model" where its name alone
// is allowed and no route stands between. Error: forbidden, when none is left.
[[nodiscard]] Result<void> keep_allowed(const Key& key, const Route* route, std::string_view model,
                                        std::vector<Target>& targets);
[[nodiscard]] bool allows(const Key* key, const Backend& backend);
// For calls that pass untouched, whose models nobody chose. `model` is empty when the call names none: then it must be
// one that runs none. Error: forbidden.
[[nodiscard]] Result<void> check_model(const Key& key, const VendorOperation& operation, std::string_view method,
                                       std::string_view model);
// Models that a body names besides its own: those that a vendor may take instead. Error: forbidden.
[[nodiscard]] Result<void> check_inside(const Key& key, const std::vector<json::TopMember>& members);
// What a model list shows to this caller.
[[nodiscard]] std::vector<ModelRow> models_for(const Exchange& ex);

}  // namespace sluice
