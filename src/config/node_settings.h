// Keys and groups as the admin API is sent them: JSON, judged by the tables of config.yaml. Nothing in it is filled in
// from variables or files. SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "config/config.h"

namespace sluice {

// Errors: bad_request with what is wrong and what would be right; also when a backend is not one of `config`'s.
[[nodiscard]] Result<KeySettings> read_key_settings(std::string_view body, const Config& config);
[[nodiscard]] Result<GroupSettings> read_group_settings(std::string_view body, const Config& config);

// The way back, as one JSON object: what is not said is left out. A key's secret is not in it.
[[nodiscard]] std::string write_settings(const KeySettings& key);
[[nodiscard]] std::string write_settings(const GroupSettings& group);

// RFC 7396: members of `patch` take the place of those in `text`, null takes them away. Errors: bad_request, when one
// of them is no object.
[[nodiscard]] Result<std::string> merge_patch(std::string_view text, std::string_view patch);

}  // namespace sluice
