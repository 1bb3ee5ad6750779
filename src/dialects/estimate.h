// About how many tokens a question or a text is, where its vendor does not say. Quickly, to choose by: one walk over
// the text and the kinds of characters in it. Or with its texts counted by a tokenizer (tokens/), for who asked for a
// number and for what is written down as an estimate: OpenAI's, and for other vendors what theirs make of as many.
// Around the texts it is what vendors publish about messages, tools and pictures. estimate_test.cc says how far off
// each is, by recorded traffic. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "model/chat.h"
#include "model/reply.h"

namespace sluice {

// Tokens of input that this model's vendor would count for the request, at least 1. `model` is the upstream's name: it
// tells the tokenizer and the vendor's hidden instructions.
[[nodiscard]] std::int64_t estimate_input(const ChatRequest& request, std::string_view model);
// Tokens of a plain text.
[[nodiscard]] std::int64_t estimate_text(std::string_view text, std::string_view model);

// The same, counted: a megabyte takes some 70 ms, more in Chinese. What is beyond `most_counted` bytes of a question is
// estimated.
inline constexpr std::int64_t most_counted = 256 * 1024;
[[nodiscard]] std::int64_t count_input(const ChatRequest& request, std::string_view model);
[[nodiscard]] std::int64_t count_text(std::string_view text, std::string_view model);
// What a model has said: its texts, thoughts and calls.
[[nodiscard]] std::int64_t count_output(const Reply& reply, std::string_view model);

}  // namespace sluice
