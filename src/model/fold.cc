// SPDX-License-Identifier: MIT
#include "model/fold.h"

#include <utility>

namespace sluice {
namespace {

// The text of a part that grows by deltas; null for parts that come whole.
std::string* growing(Part& part) {
  if (auto* p = part.as<Text>()) return &p->text;
  if (auto* p = part.as<Reasoning>()) return &p->text;
  if (auto* p = part.as<ToolCall>()) return &p->arguments;
  if (auto* p = part.as<Refusal>()) return &p->text;
  if (auto* p = part.as<Media>()) return &p->data;
  return nullptr;
}

void append(Extras& to, const Extras& from) {
  for (const Extra& x : from.members) to.add(from.origin, x.key, x.raw);
}

// The later word counts.
void replace(Extras& to, const Extras& from) {
  for (const Extra& x : from.members) {
    std::erase_if(to.members, [&](const Extra& before) { return before.key == x.key; });
  }
  append(to, from);
}

}  // namespace

void merge(Usage& before, const Usage& later) {
  const auto take = [](auto& to, const auto& from) {
    if (from) to = from;
  };
  take(before.input, later.input);
  take(before.cache_read, later.cache_read);
  take(before.cache_write_5m, later.cache_write_5m);
  take(before.cache_write_1h, later.cache_write_1h);
  take(before.tool_input, later.tool_input);
  take(before.output, later.output);
  take(before.reasoning, later.reasoning);
  take(before.audio_input, later.audio_input);
  take(before.image_input, later.image_input);
  take(before.audio_output, later.audio_output);
  take(before.image_output, later.image_output);
  take(before.billed_input, later.billed_input);
  take(before.billed_output, later.billed_output);
  before.estimated = later.estimated;
  before.origin = later.origin;
  if (!later.raw.empty()) before.raw = later.raw;
}

Choice& Fold::choice(std::int64_t index) {
  for (Choice& c : reply_.choices) {
    if (c.index == index) return c;
  }
  reply_.choices.push_back({.index = index});
  return reply_.choices.back();
}

void Fold::add(const Event& event) {
  std::visit([this](const auto& e) { on(e); }, event);
}

void Fold::on(const Begin& e) {
  reply_ = e.reply;
}

void Fold::on(const BlockStart& e) {
  choice(e.choice).parts.push_back(e.part);
}

void Fold::on(const Delta& e) {
  Choice& c = choice(e.choice);
  if (std::string* text = c.parts.empty() ? nullptr : growing(c.parts.back())) *text += e.text;
  if (e.logprobs) c.logprobs = c.logprobs ? *c.logprobs + "\n" + *e.logprobs : *e.logprobs;
}

void Fold::on(const CitationSeen& e) {
  Choice& c = choice(e.choice);
  const auto at = static_cast<std::size_t>(e.block);
  if (auto* text = at < c.parts.size() ? c.parts[at].as<Text>() : nullptr) text->citations.push_back(e.citation);
}

void Fold::on(const BlockStop& e) {
  Choice& c = choice(e.choice);
  if (c.parts.empty()) return;
  if (e.seal) c.parts.back().seal = e.seal;
  append(c.parts.back().extras, e.extras);
}

void Fold::on(const UsageSeen& e) {
  merge(reply_.usage, e.usage);
}

void Fold::on(const Finish& e) {
  Choice& c = choice(e.choice);
  c.stop = e.stop;
  append(c.extras, e.extras);
  append(c.message_extras, e.message_extras);
}

void Fold::on(const Failed& e) {
  failed_ = e.error;
}

void Fold::on(const End& e) {
  replace(reply_.extras, e.extras);
  if (e.service_tier) reply_.service_tier = e.service_tier;
  ended_ = true;
}

Result<Reply> Fold::take() {
  if (failed_) return fail(*failed_);
  if (!ended_) return fail(Fault::upstream_broken, "The upstream's answer ended before it was complete.");
  return std::move(reply_);
}

std::vector<Event> unfold(const Reply& reply) {
  std::vector<Event> out;
  Begin begin{reply};
  begin.reply.choices.clear();
  begin.reply.usage = {};
  out.emplace_back(std::move(begin));
  for (const Choice& c : reply.choices) {
    std::int64_t block = 0;
    bool logprobs_sent = false;
    for (const Part& part : c.parts) {
      BlockStart start{.choice = c.index, .block = block, .part = part};
      start.part.seal.reset();
      std::string whole;
      if (std::string* text = growing(start.part)) whole = std::exchange(*text, {});
      std::vector<Citation> citations;
      if (auto* text = start.part.as<Text>()) citations = std::exchange(text->citations, {});
      const bool text_part = start.part.as<Text>() != nullptr;
      out.emplace_back(std::move(start));
      Delta delta{.choice = c.index, .block = block, .text = std::move(whole)};
      if (text_part && !logprobs_sent && c.logprobs) {
        delta.logprobs = c.logprobs;
        logprobs_sent = true;
      }
      if (!delta.text.empty() || delta.logprobs) out.emplace_back(std::move(delta));
      for (Citation& citation : citations) out.emplace_back(CitationSeen{c.index, block, std::move(citation)});
      out.emplace_back(BlockStop{.choice = c.index, .block = block, .seal = part.seal});
      ++block;
    }
    out.emplace_back(Finish{.choice = c.index, .stop = c.stop, .extras = c.extras, .message_extras = c.message_extras});
  }
  if (reply.usage.known() || !reply.usage.raw.empty()) out.emplace_back(UsageSeen{reply.usage});
  out.emplace_back(End{});
  return out;
}

}  // namespace sluice
