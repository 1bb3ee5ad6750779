// SPDX-License-Identifier: MIT
#include "dialects/openai_chat/blocks.h"

#include <algorithm>
#include <utility>

#include "dialects/spare.h"

namespace sluice::openai_chat {
namespace {

using json::Value;

// The growing text leaves the part: BlockStart carries it empty.
std::string take_text(Part& part) {
  if (auto* p = part.as<Text>()) return std::exchange(p->text, {});
  if (auto* p = part.as<Reasoning>()) return std::exchange(p->text, {});
  if (auto* p = part.as<ToolCall>()) return std::exchange(p->arguments, {});
  if (auto* p = part.as<Refusal>()) return std::exchange(p->text, {});
  if (auto* p = part.as<Media>()) return std::exchange(p->data, {});
  return {};
}

}  // namespace

void Balance::feed(std::string_view text) {
  for (const char c : text) {
    if (escaped_) {
      escaped_ = false;
    } else if (in_string_) {
      escaped_ = c == '\\';
      if (c == '"') in_string_ = false;
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      any_ = true;
      ++depth_;
    } else if (c == '}' || c == ']') {
      --depth_;
    }
  }
}

template <class T>
Blocks::Block* Blocks::last() {
  return !queue_.empty() && !queue_.back().whole && queue_.back().part.as<T>() ? &queue_.back() : nullptr;
}

Blocks::Block& Blocks::push(Part part, std::vector<Event>& out) {
  queue_.push_back({.part = std::move(part)});
  Block& block = queue_.back();
  block.seal = std::exchange(block.part.seal, {});
  block.held = take_text(block.part);
  if (block.part.as<ToolCall>()) block.balance.feed(block.held);
  pump(false, out);
  return queue_.back();
}

void Blocks::open(Block& block, std::vector<Event>& out) {
  // A call without its name cannot be told yet.
  if (const auto* call = block.part.as<ToolCall>(); call != nullptr && call->name.empty()) return;
  block.open = true;
  if (block.part.as<Text>()) last_text_ = next_;
  out.emplace_back(BlockStart{.choice = choice_, .block = next_++, .part = block.part});
  if (block.held.empty() && !block.logprobs) return;
  out.emplace_back(Delta{.choice = choice_,
                         .block = next_ - 1,
                         .text = std::exchange(block.held, {}),
                         .logprobs = std::exchange(block.logprobs, {})});
}

void Blocks::close_front(std::vector<Event>& out) {
  Block& block = queue_.front();
  if (const auto* call = block.part.as<ToolCall>()) {
    const auto proof = std::ranges::find(proofs_, call->id, &std::pair<std::string, Seal>::first);
    if (proof != proofs_.end() && !block.seal) block.seal = proof->second;
    if (block.index) closed_calls_.push_back(*block.index);
  }
  if (!block.open) open(block, out);
  if (block.open) out.emplace_back(BlockStop{.choice = choice_, .block = next_ - 1, .seal = std::move(block.seal)});
  queue_.pop_front();
}

void Blocks::pump(bool force, std::vector<Event>& out) {
  while (!queue_.empty()) {
    Block& front = queue_.front();
    if (!front.open) open(front, out);
    const bool complete = front.part.as<ToolCall>() == nullptr || front.balance.complete();
    if (queue_.size() == 1 ? !force : !(force || (front.open && complete))) return;
    close_front(out);
  }
}

void Blocks::grow(Block& block, std::string_view piece, std::vector<Event>& out, std::optional<RawJson> logprobs,
                  Extras extras) {
  if (block.part.as<ToolCall>()) block.balance.feed(piece);
  if (!block.open) {
    block.held += piece;
    if (logprobs) block.logprobs = std::move(logprobs);
  } else {
    out.emplace_back(Delta{.choice = choice_,
                           .block = next_ - 1,
                           .text = std::string(piece),
                           .logprobs = std::move(logprobs),
                           .extras = std::move(extras)});
  }
  if (queue_.size() > 1) pump(false, out);
}

void Blocks::text(std::string_view piece, std::vector<Event>& out, std::optional<RawJson> logprobs) {
  if (piece.empty() && !(logprobs && last<Text>())) return;
  Block* block = last<Text>();
  if (block == nullptr) block = &push({.body = Text{}}, out);
  grow(*block, piece, out, std::move(logprobs));
}

void Blocks::refusal(std::string_view piece, std::vector<Event>& out, std::optional<RawJson> logprobs) {
  if (piece.empty()) return;
  refused_ = true;
  Block* block = last<Refusal>();
  if (block == nullptr) {
    Part part{.body = Refusal{}};
    remember(part.extras, self, "member");
    block = &push(std::move(part), out);
  }
  grow(*block, piece, out, std::move(logprobs));
}

void Blocks::reasoning(std::string_view piece, std::vector<Event>& out) {
  if (piece.empty()) return;
  Block* block = last<Reasoning>();
  if (block == nullptr || block->seal || block->repeated) block = &push({.body = Reasoning{}}, out);
  block->plain += piece;
  grow(*block, piece, out);
}

void Blocks::detail(Value entry, bool alone, std::vector<Event>& out) {
  Part part = read_reasoning_detail(entry);
  const auto* told = part.as<Reasoning>();
  if (told == nullptr || told->redacted) {
    // Our own envelopes go to what they seal; everything else is a block of its own.
    if (told != nullptr && part.seal && part.seal->dialect != self) {
      const std::string id = entry["id"].text();
      if (Block* text = last<Text>(); id == "content" && text != nullptr) {
        text->seal = std::move(part.seal);
        return;
      }
      if (!id.empty() && id != "content") {
        proofs_.emplace_back(id, *std::move(part.seal));
        return;
      }
    }
    if (told == nullptr || part.seal) push(std::move(part), out).whole = true;
    return;
  }
  const auto index = entry["index"].integer();
  Block* block = last<Reasoning>();
  const bool alike = block != nullptr && !block->seal && (!block->index || !index || block->index == index);
  // A thought that has no entry of its own may stand in front of what is repeated.
  const bool repeats = alike && alone && !told->text.empty() && block->plain.ends_with(told->text);
  const bool same = repeats || (alike && block->part.as<Reasoning>()->summary == told->summary);
  if (told->text.empty() && !part.seal) return;
  if (!same && !(told->text.empty() && block != nullptr && !block->seal)) {
    block = &push(std::move(part), out);
    block->index = index;
    return;
  }
  if (part.seal) block->seal = std::move(part.seal);
  block->index = index;
  block->repeated = repeats;
  block->plain.clear();
  if (!repeats && !told->text.empty()) grow(*block, told->text, out);
}

// Indexes are the key where they are given; where they are missing or always the same, a new id starts a new call, and
// where ids are missing too, a name does.
Blocks::Block* Blocks::find_call(std::optional<std::int64_t> index, std::string_view id, std::string_view name) {
  for (auto it = queue_.rbegin(); it != queue_.rend(); ++it) {
    const auto* call = it->part.as<ToolCall>();
    if (call == nullptr) continue;
    if (!id.empty() && call->id == id && (!index || !it->index || it->index == index)) return &*it;
    if (index) {
      if (it->index != index) continue;
      return id.empty() || call->id.empty() ? &*it : nullptr;
    }
    if (!id.empty()) return call->id.empty() && !it->balance.complete() && name.empty() ? &*it : nullptr;
    return name.empty() || (call->name == name && !it->balance.complete() && it->open) ? &*it : nullptr;
  }
  return nullptr;
}

void Blocks::grow_call(Block& block, Value body, std::string_view member, std::vector<Event>& out) {
  auto* call = block.part.as<ToolCall>();
  if (call->name.empty()) call->name = body["name"].text();
  const Value arguments = body[member];
  std::string scratch;
  if (arguments.is_string()) {
    if (const auto piece = arguments.view(scratch); !piece.empty()) grow(block, piece, out);
  } else if (arguments.is_object()) {
    grow(block, arguments.raw(), out);
  }
}

void Blocks::call(Value delta, std::vector<Event>& out) {
  calls_seen_ = true;
  const auto index = delta["index"].integer();
  const std::string id = delta["id"].text();
  const bool custom = delta["type"].equals("custom") || delta["custom"].is_object();
  const Value body = delta[custom ? "custom" : "function"];
  const std::string name = body["name"].text();
  Block* block = find_call(index, id, name);
  if (block == nullptr) {
    // What comes late for a call that is over would be white space at best.
    if (index && id.empty() && name.empty() && std::ranges::find(closed_calls_, *index) != closed_calls_.end()) return;
    Part part = read_tool_call(delta);
    if (custom) part.as<ToolCall>()->kind = ToolKind::custom;
    block = &push(std::move(part), out);
    block->index = index;
    if (!block->open) pump(false, out);
    return;
  }
  auto* call = block->part.as<ToolCall>();
  if (call->id.empty() && !id.empty() && !block->open) {
    call->id = id;
    call->id_made_up = false;
  }
  if (Part again = read_tool_call(delta); again.seal && !block->seal) block->seal = std::move(again.seal);
  grow_call(*block, body, custom ? "input" : "arguments", out);
  if (!queue_.empty() && !queue_.front().open) pump(false, out);
}

void Blocks::legacy_call(Value delta, std::vector<Event>& out) {
  calls_seen_ = true;
  Block* block = last<ToolCall>();
  if (block == nullptr) {
    const std::string name = delta["name"].text();
    block = &push({.body = ToolCall{.id = legacy_call_id(name), .name = name}}, out);
  }
  grow_call(*block, delta, "arguments", out);
}

void Blocks::audio(Value delta, std::vector<Event>& out) {
  Extras extras;
  for (const auto [key, value] : delta.members()) {
    if (key != "data") extras.add(self, key, value.raw());
  }
  Block* block = last<Media>();
  if (block == nullptr) {
    Part part{.body = Media{.kind = MediaKind::audio, .form = MediaForm::base64, .origin = self}};
    part.extras = extras;
    remember(part.extras, self, "member");
    block = &push(std::move(part), out);
    if (!delta["data"].is_string()) return;
    extras = {};
  }
  grow(*block, delta["data"].text(), out, {}, std::move(extras));
}

void Blocks::image(Value value, std::vector<Event>& out) {
  Part part = read_content_part(value);
  if (!part.as<Opaque>()) remember(part.extras, self, "member");
  push(std::move(part), out).whole = true;
}

bool Blocks::citation(Value annotation, std::vector<Event>& out) {
  if (!queue_.empty() && queue_.front().open && queue_.front().part.as<Text>()) {
    out.emplace_back(CitationSeen{choice_, next_ - 1, read_annotation(annotation)});
    return true;
  }
  const bool waits = std::ranges::any_of(queue_, [](const Block& block) { return block.part.as<Text>() != nullptr; });
  if (!last_text_ && !waits) return false;
  late_.push_back(read_annotation(annotation));
  return true;
}

void Blocks::finish(std::vector<Event>& out) {
  pump(true, out);
  for (Citation& citation : late_) out.emplace_back(CitationSeen{choice_, last_text_.value_or(0), std::move(citation)});
  late_.clear();
}

}  // namespace sluice::openai_chat
