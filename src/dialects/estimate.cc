// SPDX-License-Identifier: MIT
#include "dialects/estimate.h"

#include <algorithm>
#include <array>
#include <limits>

#include "dialects/media_size.h"
#include "dialects/pointer.h"
#include "dialects/token_weights.h"
#include "tokens/encoding.h"

namespace sluice {
namespace {

enum class Kind : std::uint8_t { blank, line, small, capital, digit, mark, beyond };

constexpr std::array<Kind, 256> kinds = [] {
  std::array<Kind, 256> out{};
  for (std::size_t c = 0; c < 256; ++c) {
    out[c] = c == ' '               ? Kind::blank
             : c < 0x20             ? Kind::line
             : c >= 'a' && c <= 'z' ? Kind::small
             : c >= 'A' && c <= 'Z' ? Kind::capital
             : c >= '0' && c <= '9' ? Kind::digit
             : c < 0x80             ? Kind::mark
                                    : Kind::beyond;
  }
  return out;
}();

// A character beyond ASCII: its weight, and how many bytes it has. The bytes are what a JSON string held: UTF-8.
std::int64_t beyond(const TextWeights& weights, std::string_view rest, std::size_t& size) {
  const auto byte = [&](std::size_t at) {
    return at < rest.size() ? static_cast<std::uint32_t>(static_cast<unsigned char>(rest[at])) & 0x3fU : 0U;
  };
  const auto first = static_cast<std::uint32_t>(static_cast<unsigned char>(rest[0]));
  if (first >= 0xf0) {
    size = 4;
    return weights.emoji;
  }
  if (first < 0xe0) {
    size = 2;
    const std::uint32_t code = ((first & 0x1fU) << 6U) | byte(1);
    return code < 0x250 ? weights.latin : weights.alphabet;
  }
  size = 3;
  const std::uint32_t code = ((first & 0x0fU) << 12U) | (byte(1) << 6U) | byte(2);
  if (code >= 0x1e00 && code < 0x1f00) return weights.latin;
  if (code >= 0x2000 && code < 0x2e80) return weights.symbol;
  const bool hangul = code >= 0xac00 && code < 0xd800;
  const bool han = (code >= 0x2e80 && code < 0xa000) || (code >= 0xf900 && code < 0xfb00) || code >= 0xff00;
  return han || hangul ? weights.han : weights.script;
}

// Thousandths of a token.
std::int64_t weigh(std::string_view text, const TextWeights& weights) {
  std::int64_t sum = 0;
  std::size_t at = 0;
  const auto kind = [&](std::size_t i) { return kinds[static_cast<unsigned char>(text[i])]; };
  const auto run = [&](auto goes_on) {
    const std::size_t from = at;
    do ++at;
    while (at < text.size() && goes_on(kind(at)));
    return static_cast<std::int64_t>(at - from);
  };
  while (at < text.size()) {
    switch (kind(at)) {
      case Kind::small:
      case Kind::capital: {
        bool small = kind(at) == Kind::small;
        const std::int64_t letters = run([&](Kind next) {
          if (next == Kind::small) return small = true;
          return next == Kind::capital && !small;
        });
        sum += weights.word + std::max<std::int64_t>(letters - 6, 0) * weights.long_letter +
               std::max<std::int64_t>(letters - 20, 0) * weights.wild_letter;
        break;
      }
      case Kind::digit: sum += (run([](Kind next) { return next == Kind::digit; }) + 2) / 3 * weights.digits; break;
      case Kind::mark:
        sum += weights.mark + (run([](Kind next) { return next == Kind::mark; }) - 1) * weights.more_marks;
        break;
      case Kind::blank:
      case Kind::line: {
        const bool blank = kind(at) == Kind::blank;
        const std::int64_t size = run([](Kind next) { return next == Kind::blank || next == Kind::line; });
        if (size > 1 || !blank) sum += weights.space;
        break;
      }
      case Kind::beyond: {
        std::size_t size = 1;
        sum += beyond(weights, text.substr(at), size);
        at += std::min(size, text.size() - at);
        break;
      }
    }
  }
  return sum;
}

// The user's own words, not a tool's.
bool speaks(const Turn& turn) {
  return turn.role == Role::user &&
         std::ranges::any_of(turn.parts, [](const Part& part) { return part.as<ToolResult>() == nullptr; });
}

class Counting {
 public:
  // `counted`: bytes of text that may be counted; what is beyond them is weighed.
  Counting(std::string_view model, std::int64_t counted) : row_(token_weights(model)), left_(counted) {}

  void add(std::string_view text, std::int64_t percent = 100) {
    const auto size = static_cast<std::size_t>(std::min<std::int64_t>(left_, std::ssize(text)));
    if (size > 0) {
      left_ -= static_cast<std::int64_t>(size);
      milli_ += count_tokens(text.substr(0, size), row_.text->encoding) * row_.text->per_hundred * 10 * percent / 100;
    }
    milli_ += weigh(text.substr(size), *row_.text) * percent / 100;
  }
  void add_tokens(std::int64_t tokens) { milli_ += tokens * 1000; }

  void add(const Part& part) {
    if (const auto* text = part.as<Text>()) {
      add(text->text);
    } else if (const auto* refusal = part.as<Refusal>()) {
      add(refusal->text);
    } else if (const auto* reasoning = part.as<Reasoning>()) {
      if (thinks_on_) add(reasoning->text);
    } else if (const auto* call = part.as<ToolCall>()) {
      add_tokens(row_.call);
      add(call->name);
      add(call->arguments);
    } else if (const auto* result = part.as<ToolResult>()) {
      add(result->json);
      for (const Part& inner : result->parts) add(inner);
    } else if (const auto* media = part.as<Media>()) {
      add(*media);
    } else if (const auto* server = part.as<ServerTool>()) {
      add(server->raw);
    } else if (const auto* opaque = part.as<Opaque>()) {
      add(opaque->raw);
    }
  }

  void add(const Media& media) {
    if (media.form == MediaForm::text || media.form == MediaForm::blocks) return add(media.data);
    switch (media.kind) {
      case MediaKind::image: return add_tokens(picture_tokens(media, row_));
      case MediaKind::document: return add_tokens(document_pages(media) * row_.page);
      case MediaKind::audio: return add_tokens(audio_seconds(media) * row_.second);
      case MediaKind::video: return add_tokens(audio_seconds(media) * (row_.picture + row_.second));
    }
  }

  void add_tools(const ChatRequest& request) {
    if (request.tools.empty()) return;
    const bool forced = request.tool_choice && request.tool_choice->kind != ChoiceKind::automatic;
    add_tokens(forced ? row_.forced : row_.tools);
    for (const Tool& tool : request.tools) {
      add_tokens(row_.tool);
      add(tool.name);
      add(tool.description);
      add(tool.vendor_raw);
      add(tool.schema, row_.schema);
    }
  }

  // Earlier thinking is read again only while tools answer: behind a user's own words vendors drop what was before.
  void read_thinking(bool again) { thinks_on_ = again; }

  [[nodiscard]] std::int64_t tokens() const {
    return std::max<std::int64_t>((milli_ * row_.percent / 100 + 500) / 1000, 1);
  }
  [[nodiscard]] const TokenWeights& row() const { return row_; }

 private:
  const TokenWeights& row_;
  std::int64_t left_;
  std::int64_t milli_ = 0;
  bool thinks_on_ = false;
};

std::int64_t input(const ChatRequest& request, Counting counting) {
  const TokenWeights& row = counting.row();
  counting.add_tokens(row.request + row.turn * static_cast<std::int64_t>(request.turns.size()));
  if (leading_system(request) == 0) counting.add_tokens(row.no_system);
  const ReasoningMode mode = request.reasoning.mode;
  if (mode == ReasoningMode::on || mode == ReasoningMode::automatic) counting.add_tokens(row.thinking);
  const auto last = std::ranges::find_if(request.turns.rbegin(), request.turns.rend(), speaks);
  for (auto turn = request.turns.begin(); turn != request.turns.end(); ++turn) {
    counting.read_thinking(turn >= last.base());
    counting.add(turn->name);
    for (const Part& part : turn->parts) counting.add(part);
  }
  counting.add_tools(request);
  if (request.format && !request.format->schema.empty()) {
    counting.add_tokens(row.format);
    counting.add(request.format->schema, row.answer);
  }
  return counting.tokens();
}

std::int64_t text_alone(std::string_view text, Counting counting) {
  counting.add(text);
  return counting.tokens();
}

}  // namespace

std::int64_t estimate_input(const ChatRequest& request, std::string_view model) {
  return input(request, Counting(model, 0));
}

std::int64_t estimate_text(std::string_view text, std::string_view model) {
  return text_alone(text, Counting(model, 0));
}

std::int64_t count_input(const ChatRequest& request, std::string_view model) {
  return input(request, Counting(model, most_counted));
}

std::int64_t count_text(std::string_view text, std::string_view model) {
  return text_alone(text, Counting(model, most_counted));
}

std::int64_t count_output(const Reply& reply, std::string_view model) {
  Counting counting(model, most_counted);
  counting.read_thinking(true);
  for (const Choice& choice : reply.choices) {
    for (const Part& part : choice.parts) {
      if (const auto* call = part.as<ToolCall>()) {
        counting.add(call->name);
        counting.add(call->arguments);
      } else if (part.as<Media>() == nullptr) {
        counting.add(part);
      }
    }
  }
  return counting.tokens();
}

}  // namespace sluice
