// Where small things stood that belong to a part, a tool or a setting (pointer.h). SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "dialects/pointer.h"
#include "model/chat.h"

namespace sluice {

// The cache mark of the part or tool at `marked`: in it, or behind it where marks are blocks of their own.
[[nodiscard]] std::string pointer_to_mark(const ChatRequest& request, const Pointer& marked);
// A member of the output's form: name, strict, description. Empty: the object that holds them.
[[nodiscard]] std::string pointer_below_format(const ChatRequest& request, std::string_view member);
// The output's schema.
[[nodiscard]] std::string pointer_to_format_schema(const ChatRequest& request);

}  // namespace sluice
