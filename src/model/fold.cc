// SPDX-License-Identifier: MIT
#include "model/fold.h"

#include <array>
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

namespace {

// Every number of it.
constexpr std::array counts = {
    &Usage::input,        &Usage::cache_read,   &Usage::cache_write_5m, &Usage::cache_write_1h, &Usage::tool_input,
    &Usage::output,       &Usage::reasoning,    &Usage::audio_input,    &Usage::image_input,    &Usage::audio_output,
    &Usage::image_output, &Usage::billed_input, &Usage::billed_output};

}  // namespace

void merge(Usage& before, const Usage& later) {
  bool same = true;
  for (const auto member : counts) {
    if (!(later.*member) || before.*member == later.*member) continue;
    before.*member = later.*member;
    same = false;
  }
  before.estimated = later.estimated;
  if (!later.raw.empty() || !same) before.raw = later.raw;
  before.origin = later.origin;
}

Usage sum(const Usage& a, const Usage& b) {
  Usage out{.estimated = a.estimated || b.estimated, .origin = b.origin};
  for (const auto member : counts) {
    if (a.*member || b.*member) out.*member = (a.*member).value_or(0) + (b.*member).value_or(0);
  }
  // Where one of them is charged for otherwise, the other is by its buckets.
  if (out.billed_input)
    out.billed_input = a.billed_input.value_or(a.total_input()) + b.billed_input.value_or(b.total_input());
  if (out.billed_output)
    out.billed_output = a.billed_output.value_or(a.total_output()) + b.billed_output.value_or(b.total_output());
  return out;
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
