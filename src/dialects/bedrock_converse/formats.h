// The words by which this dialect names what a file is, and the types that everybody else knows.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "model/chat.h"

namespace sluice::bedrock_converse {

// "pdf" -> "application/pdf"; a word that the vendor has added since becomes a type by its own name.
[[nodiscard]] std::string mime_of_format(MediaKind kind, std::string_view format);
// The reverse; empty when the vendor takes no such file.
[[nodiscard]] std::string_view format_of_mime(MediaKind kind, std::string_view mime);

// A document's name as the vendor takes it: letters, digits, single spaces, hyphens, brackets. The file's ending goes.
[[nodiscard]] std::string document_name(std::string_view name);

}  // namespace sluice::bedrock_converse
