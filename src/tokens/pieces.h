// Where a text is cut before anything is merged: words with the blank before them, up to three digits, runs of signs,
// runs of white space. By the regular expressions of tiktoken (openai_public.py), written out. No token crosses a cut.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

#include "tokens/encoding.h"

namespace sluice {

// The end of the piece that begins at `at`, which is inside the text.
[[nodiscard]] std::size_t piece_end(std::string_view text, std::size_t at, Encoding encoding);

}  // namespace sluice
