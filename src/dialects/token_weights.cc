// SPDX-License-Identifier: MIT
#include "dialects/token_weights.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace sluice {
namespace {

//                           word  long wild digits mark more space latin alph script han symbol emoji
constexpr TextWeights gpt = {1000, 60, 350, 1000, 900, 350, 600, 600, 280, 350, 750, 1000, 2000, Encoding::o200k, 100};
constexpr TextWeights old_gpt = {1000, 80, 350, 1000, 900, 350, 600, 700, 550, 1000, 1150, 1000, 2500, Encoding::cl100k,
                                 100};
constexpr TextWeights claude = {1030, 100, 350, 1600, 1150, 600, 800, 800, 500, 900, 1200, 1200, 2500, Encoding::o200k,
                                121};
constexpr TextWeights gemini = {980, 40, 350, 2000, 950, 300, 900, 500, 300, 350, 650, 900, 1500, Encoding::o200k, 107};
constexpr TextWeights other = {1000, 80, 350, 2000, 900, 350, 700, 600, 400, 700, 800, 1000, 2000, Encoding::o200k,
                               112};

// The first that fits. Published: Claude's tool prompts by model and its pictures (width x height / 750), OpenAI's
// tiles (85 and 170 for each), Google's 258 for a tile or page and 32 for a second.
using enum PictureRule;

constexpr std::array rows = std::to_array<TokenWeights>({
    // models, text, percent, request, turn, no_system, thinking, tools, forced, tool, schema, call, format, answer,
    // picture, page, second, rule
    {"*claude-3-opus*", &claude, 100, 5, 2, 0, 28, 530, 281, 15, 100, 60, 105, 100, 1334, 2300, 0, area},
    {"*claude-3*haiku*", &claude, 100, 5, 2, 0, 28, 264, 350, 15, 100, 60, 105, 100, 1334, 2300, 0, area},
    {"*claude-3*", &claude, 100, 5, 2, 0, 28, 313, 313, 15, 100, 60, 105, 100, 1334, 2300, 0, area},
    {"*claude*4-5*", &claude, 100, 5, 2, 0, 28, 496, 588, 15, 100, 60, 105, 100, 1334, 2300, 0, area},
    {"*claude*4.5*", &claude, 100, 5, 2, 0, 28, 496, 588, 15, 100, 60, 105, 100, 1334, 2300, 0, area},
    {"*claude*4-6*", &claude, 100, 5, 2, 0, 28, 496, 588, 15, 100, 60, 105, 100, 1334, 2300, 0, area},
    {"*claude*4.6*", &claude, 100, 5, 2, 0, 28, 496, 588, 15, 100, 60, 105, 100, 1334, 2300, 0, area},
    {"*claude*-4*", &claude, 100, 5, 2, 0, 28, 313, 313, 15, 100, 60, 105, 100, 1334, 2300, 0, area},
    {"*claude*", &claude, 135, 5, 2, 0, 20, 320, 390, 15, 100, 60, 105, 100, 1334, 2300, 0, area},
    {"*gemini*", &gemini, 100, 0, 1, 0, 0, 5, 5, 5, 80, 15, 0, 0, 258, 258, 32, tiles_768},
    {"*gemma*", &gemini, 100, 4, 4, 0, 0, 5, 5, 10, 80, 15, 0, 0, 258, 258, 32, tiles_768},
    {"*gpt-oss*", &gpt, 100, 64, 4, 0, 0, 50, 50, 7, 60, 6, 10, 50, 765, 150, 10, tiles_512},
    {"*gpt-3*", &old_gpt, 100, 3, 4, 0, 0, 16, 16, 7, 50, 6, 10, 50, 765, 150, 10, tiles_512},
    {"*gpt-4", &old_gpt, 100, 3, 4, 0, 0, 16, 16, 7, 50, 6, 10, 50, 765, 150, 10, tiles_512},
    {"*gpt-4-*", &old_gpt, 100, 3, 4, 0, 0, 16, 16, 7, 50, 6, 10, 50, 765, 150, 10, tiles_512},
    {"*gpt-4o*", &gpt, 100, 3, 4, 0, 0, 16, 16, 7, 50, 6, 10, 50, 765, 150, 10, tiles_512},
    {"*gpt*mini*", &gpt, 100, 3, 4, 0, 0, 16, 16, 7, 50, 6, 10, 50, 765, 150, 10, patches_32},
    {"*gpt*nano*", &gpt, 100, 3, 4, 0, 0, 16, 16, 7, 50, 6, 10, 50, 765, 150, 10, patches_32},
    {"*gpt-5.*", &gpt, 100, 3, 4, 0, 0, 16, 16, 7, 50, 6, 10, 50, 765, 150, 10, patches_32},
    {"*gpt*", &gpt, 100, 3, 4, 0, 0, 16, 16, 7, 50, 6, 10, 50, 765, 150, 10, tiles_512},
    {"*codex*", &gpt, 100, 3, 4, 0, 0, 16, 16, 7, 50, 6, 10, 50, 765, 150, 10, tiles_512},
    {"o1*", &gpt, 100, 3, 4, 0, 0, 16, 16, 7, 50, 6, 10, 50, 765, 150, 10, tiles_512},
    {"o3*", &gpt, 100, 3, 4, 0, 0, 16, 16, 7, 50, 6, 10, 50, 765, 150, 10, tiles_512},
    {"o4*", &gpt, 100, 3, 4, 0, 0, 16, 16, 7, 50, 6, 10, 50, 765, 150, 10, tiles_512},
    {"openai/*", &gpt, 100, 3, 4, 0, 0, 16, 16, 7, 50, 6, 10, 50, 765, 150, 10, tiles_512},
    {"*command*", &other, 100, 4, 4, 490, 0, 900, 900, 25, 130, 20, 10, 100, 1000, 600, 0, fixed},
    {"*grok-2*", &other, 100, 5, 5, 0, 0, 50, 50, 20, 100, 20, 10, 100, 1000, 600, 0, fixed},
    {"*grok-3*", &other, 100, 5, 5, 0, 0, 50, 50, 20, 100, 20, 10, 100, 1000, 600, 0, fixed},
    {"*grok*", &other, 100, 150, 5, 0, 0, 120, 120, 25, 130, 40, 10, 100, 1000, 600, 0, fixed},
    {"*", &other, 100, 4, 4, 0, 0, 60, 60, 20, 120, 15, 10, 100, 1000, 600, 25, fixed},
});

}  // namespace

const TokenWeights& token_weights(std::string_view model) {
  const std::string name = lower(model);
  const auto found =
      std::ranges::find_if(rows, [&](const TokenWeights& row) { return wildcard_match(row.models, name); });
  return found == rows.end() ? rows.back() : *found;
}

}  // namespace sluice
