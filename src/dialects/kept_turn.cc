// SPDX-License-Identifier: MIT
#include "dialects/kept_turn.h"

#include <algorithm>
#include <array>
#include <utility>

#include "dialects/tool_id.h"

namespace sluice {
namespace {

std::string call_key(std::string_view id) {
  return "call:" + std::string(id);
}

// The prefixes of ids that writers of answers make up.
constexpr std::array<std::string_view, 3> prefixes = {"call_", "toolu_", "tooluse_"};

bool is_call(const Part& part) {
  return part.as<ToolCall>() != nullptr;
}

std::vector<std::string> client_ids(const ToolCall& call, std::string_view exchange_id, std::int64_t choice,
                                    std::size_t number) {
  if (portable_tool_id(call.id)) return {call.id};
  std::vector<std::string> out;
  if (!call.id.empty()) out.push_back(call.id);
  for (const std::string_view prefix : prefixes) {
    out.push_back(call.id.empty() ? answer_tool_id(prefix, exchange_id, choice, number)
                                  : to_portable_tool_id(call.id, prefix));
  }
  return out;
}

void add_piece(KeptTurn& turn, const Part& part, std::string_view exchange_id, std::int64_t choice) {
  if (const auto* text = part.as<Text>()) {
    turn.text.add(text->text);
    turn.pieces.push_back({.part = {.body = Text{}, .seal = part.seal}, .size = text->text.size()});
  } else if (const auto* call = part.as<ToolCall>()) {
    const auto calls = std::ranges::count_if(turn.pieces, [](const auto& piece) { return is_call(piece.part); });
    turn.pieces.push_back(
        {.part = {.body = ToolCall{.id = call->id, .id_made_up = call->id_made_up}, .seal = part.seal},
         .ids = client_ids(*call, exchange_id, choice, static_cast<std::size_t>(calls))});
  } else if (part.as<Reasoning>()) {
    turn.pieces.push_back({.part = part});
  }
}

// The turn's text cut again into the blocks that it was made of, each with its proof; nothing when it is another text.
std::vector<Part> cut_texts(const Turn& turn, const KeptTurn& kept) {
  std::string all;
  TextPrint print;
  const Part* only = nullptr;
  std::size_t count = 0;
  for (const Part& part : turn.parts) {
    if (const auto* text = part.as<Text>()) {
      all += text->text;
      print.add(text->text);
      only = &part;
      ++count;
    }
  }
  std::vector<Part> out;
  if (!(print == kept.text)) return out;
  std::size_t at = 0;
  for (const auto& piece : kept.pieces) {
    if (!piece.part.as<Text>()) continue;
    Part part = count == 1 && piece.size == all.size() ? *only : Part{};
    part.body = Text{.text = all.substr(at, piece.size)};
    if (count == 1 && piece.size == all.size()) part.body = only->body;
    part.seal = piece.part.seal;
    at += piece.size;
    out.push_back(std::move(part));
  }
  return out;
}

}  // namespace

void TextPrint::add(std::string_view piece) {
  size_ += piece.size();
  if (head_.size() < end_size) head_ += piece.substr(0, end_size - head_.size());
  if (piece.size() >= end_size) {
    tail_ = piece.substr(piece.size() - end_size);
  } else {
    tail_ += piece;
    if (tail_.size() > end_size) tail_.erase(0, tail_.size() - end_size);
  }
}

std::string TextPrint::key() const {
  return size_ < least ? std::string() : "text:" + std::to_string(size_) + ":" + head_ + tail_;
}

bool KeptTurn::worth_keeping() const {
  return !too_large &&
         std::ranges::any_of(pieces, [](const Piece& p) { return p.part.seal || p.part.as<Reasoning>(); });
}

std::vector<std::string> KeptTurn::keys() const {
  std::vector<std::string> out;
  for (const Piece& piece : pieces) {
    for (const std::string& id : piece.ids) out.push_back(call_key(id));
  }
  if (out.empty() && !text.key().empty()) out.push_back(text.key());
  return out;
}

std::size_t KeptTurn::weight() const {
  std::size_t out = 256;
  for (const Piece& piece : pieces) {
    out += sizeof(Piece);
    if (piece.part.seal) out += piece.part.seal->raw.size();
    if (const auto* thought = piece.part.as<Reasoning>()) out += thought->text.size();
  }
  return out;
}

KeptTurn kept_turn(const std::vector<Part>& parts, std::string_view exchange_id, std::int64_t choice) {
  KeptTurn out;
  for (const Part& part : parts) add_piece(out, part, exchange_id, choice);
  return out;
}

KeptTurn& TurnRecorder::turn(std::int64_t choice) {
  const auto index = static_cast<std::size_t>(std::clamp<std::int64_t>(choice, 0, 127));
  if (turns_.size() <= index) turns_.resize(index + 1);
  return turns_[index];
}

void TurnRecorder::add(const Event& event) {
  if (const auto* delta = std::get_if<Delta>(&event)) {
    KeptTurn& at = turn(delta->choice);
    if (at.pieces.empty()) return;
    auto& piece = at.pieces.back();
    if (piece.part.as<Text>()) {
      at.text.add(delta->text);
      piece.size += delta->text.size();
    } else if (auto* thought = piece.part.as<Reasoning>()) {
      at.too_large = at.too_large || thought->text.size() + delta->text.size() > most_thought;
      if (!at.too_large) thought->text += delta->text;
    }
  } else if (const auto* start = std::get_if<BlockStart>(&event)) {
    add_piece(turn(start->choice), start->part, exchange_id_, start->choice);
    // A block of another kind takes no part in the texts and thoughts that follow it.
    const bool known = start->part.as<Text>() || start->part.as<ToolCall>() || start->part.as<Reasoning>();
    if (!known) turn(start->choice).pieces.push_back({.part = {.body = Opaque{}}});
  } else if (const auto* stop = std::get_if<BlockStop>(&event); stop && stop->seal) {
    KeptTurn& at = turn(stop->choice);
    if (!at.pieces.empty()) at.pieces.back().part.seal = stop->seal;
  }
}

std::string recall_key(const Turn& turn) {
  if (turn.role != Role::assistant) return {};
  std::string key;
  TextPrint print;
  for (const Part& part : turn.parts) {
    if (part.seal) return {};
    if (const auto* call = part.as<ToolCall>(); call && key.empty() && !call->id.empty()) key = call_key(call->id);
    if (const auto* text = part.as<Text>()) print.add(text->text);
  }
  return key.empty() ? print.key() : key;
}

bool restore(Turn& turn, const KeptTurn& kept) {
  // Every call must be one of the kept turn's, and the other way round.
  const auto same = [](const KeptTurn::Piece& piece) {
    return [&](const Part& part) {
      const auto* call = part.as<ToolCall>();
      return call && std::ranges::find(piece.ids, call->id) != piece.ids.end();
    };
  };
  std::ptrdiff_t calls = 0;
  for (const auto& piece : kept.pieces) {
    if (!is_call(piece.part)) continue;
    ++calls;
    if (std::ranges::count_if(turn.parts, same(piece)) != 1) return false;
  }
  if (std::ranges::count_if(turn.parts, is_call) != calls) return false;
  std::vector<Part> texts = cut_texts(turn, kept);
  const bool same_text = kept.text.size() == 0 || !texts.empty();
  if (calls == 0 && !same_text) return false;

  // The kept order; what the client says otherwise stays behind the thoughts that came first.
  // What the client kept of the thoughts itself is in what was kept here.
  std::vector<Part> out;
  std::size_t next_text = 0;
  bool rest_placed = false;
  const auto place_rest = [&] {
    if (std::exchange(rest_placed, true)) return;
    for (Part& part : turn.parts) {
      const bool told = is_call(part) || part.as<Reasoning>() || (same_text && kept.text.size() > 0 && part.as<Text>());
      if (told) continue;
      out.push_back(std::move(part));
    }
  };
  for (const auto& piece : kept.pieces) {
    if (piece.part.as<Reasoning>()) {
      out.push_back(piece.part);
    } else if (piece.part.as<Text>()) {
      if (same_text && next_text < texts.size()) out.push_back(std::move(texts[next_text++]));
      if (!same_text) place_rest();
    } else if (const auto* call = piece.part.as<ToolCall>()) {
      if (!same_text) place_rest();
      Part& part = *std::ranges::find_if(turn.parts, same(piece));
      part.seal = piece.part.seal;
      part.as<ToolCall>()->id_made_up = call->id_made_up;
      out.push_back(std::move(part));
    }
  }
  place_rest();
  turn.parts = std::move(out);
  turn.plain_string = false;
  return true;
}

}  // namespace sluice
