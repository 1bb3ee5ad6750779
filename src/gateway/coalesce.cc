// SPDX-License-Identifier: MIT
#include "gateway/coalesce.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/text.h"
#include "gateway/errand.h"
#include "gateway/operations.h"
#include "gateway/respond.h"
#include "gateway/stages.h"
#include "gateway/worker.h"
#include "wire/sha256.h"

namespace sluice {
namespace {

// Whether every answer to it is as good as any other: nothing is left to chance, or chance was told its seed.
bool is_deterministic(const Intake& intake) {
  Notes notes;
  const auto asked = intake.entry.dialect->read_request(intake.asked(), notes);
  if (!asked) return false;  // whoever makes the call says why
  if (asked->sampling.seed) return true;
  if (!asked->sampling.temperature) return false;
  const std::string& text = *asked->sampling.temperature;
  double value = 1;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc() && value == 0;
}

// What is kept under a name of its own is nobody else's.
bool keeps_state(const Intake& intake) {
  const HeldState* held = intake.held.get();
  return held != nullptr && (held->asked.store || !held->asked.previous.empty() || !held->asked.conversation.empty());
}

// All that an answer depends on, part by part. The callers of a route share only where it says so.
class Key {
 public:
  explicit Key(const Exchange& ex) {
    add_place(ex.snapshot.get());
    add_place(ex.route);
    // What a key may not reach by itself it does not get from others either.
    const bool shares = ex.route->shares_among_callers && !(ex.key && ex.key->limits_backends);
    add(shares ? std::string_view() : std::string_view(ex.tenant));
    add(ex.dialect->name());
  }
  void add(std::string_view part) {
    text_ += std::to_string(part.size());
    text_ += ':';
    text_ += part;
  }
  [[nodiscard]] std::string hash() const {
    const Sha256 hash = sha256(text_);
    return {reinterpret_cast<const char*>(hash.data()), hash.size()};
  }

 private:
  void add_place(const void* place) { add(std::to_string(reinterpret_cast<std::uintptr_t>(place))); }
  std::string text_;
};

std::string key_of(const Exchange& ex, const Intake& intake) {
  Key key(ex);
  key.add(intake.entry.path_model);
  key.add(intake.entry.query);
  key.add(intake.peek.stream ? "stream" : "whole");
  for (const auto& [name, value] : intake.entry.dialect->verbatim_headers(intake.asked())) {
    key.add(name);
    key.add(value);
  }
  for (const auto& [name, value] : intake.headers) {
    if (!name.starts_with("x-sluice-")) continue;
    key.add(name);
    key.add(value);
  }
  key.add(intake.body);
  return key.hash();
}

// Lines that only say who asks.
constexpr std::array about_the_client = std::to_array<std::string_view>(
    {"user-agent:", "traceparent:", "tracestate:", "x-client-request-id:", "x-client-name:", "x-title:"});

std::string key_of(const Exchange& ex, const Errand& errand) {
  Key key(ex);
  key.add(errand.operation().pattern);
  key.add(errand.entry.path);
  key.add(errand.entry.query);
  for (std::string_view rest = errand.fields; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n') + 1);
    if (line.empty()) break;
    rest.remove_prefix(line.size());
    const std::string low = lower(line);
    const auto about = [&](std::string_view name) { return low.starts_with(name); };
    if (std::ranges::none_of(about_the_client, about)) key.add(line);
  }
  key.add(errand.held.empty() ? errand.body : std::string_view(errand.held));
  return key.hash();
}

// Somebody else's answer to that; null: the exchange calls for all from here on.
std::unique_ptr<SharedAnswer::Reader> enter(Exchange& ex, std::string key) {
  auto [answer, reader] = ex.worker.shared().answers.enter(key, ex.snapshot, ex.sleeper());
  ex.record.coalesced = reader != nullptr;
  if (!reader) ex.lead = std::make_unique<Lead>(ex, std::move(key), std::move(answer));
  return std::move(reader);
}

}  // namespace

SharedAnswers::Place SharedAnswers::enter(const std::string& key, const std::shared_ptr<const Snapshot>& snapshot,
                                          net::Sleeper& sleeper) {
  const std::lock_guard lock(mutex_);
  auto& answer = answers_[key];
  if (answer) {
    if (auto reader = SharedAnswer::Reader::join(answer, sleeper)) return {answer, std::move(reader)};
  }
  answer = std::make_shared<SharedAnswer>(snapshot);
  return {answer, nullptr};
}

void SharedAnswers::leave(const std::string& key, const SharedAnswer& answer) {
  const std::lock_guard lock(mutex_);
  const auto found = answers_.find(key);
  if (found != answers_.end() && found->second.get() == &answer) answers_.erase(found);
}

Lead::Lead(Exchange& ex, std::string key, std::shared_ptr<SharedAnswer> answer)
    : ex_(ex), key_(std::move(key)), answer_(std::move(answer)) {
  net::Watch& watch = ex.client.socket().watch();
  then_ = std::exchange(watch.on_gone, gone);
  owner_ = std::exchange(watch.owner, this);
  answer_->called_by(&ex.sleeper());
}

Lead::~Lead() {
  ex_.worker.shared().answers.leave(key_, *answer_);
  answer_->called_by(nullptr);
  answer_->fail({.fault = Fault::upstream_broken, .message = "The call that this request shared was cut off."});
  net::Watch& watch = ex_.client.socket().watch();
  watch.on_gone = then_;
  watch.owner = owner_;
}

bool Lead::lose() {
  if (!alone_) alone_ = answer_->left();
  return alone_;
}

void Lead::gone(void* self) {
  auto* lead = static_cast<Lead*>(self);
  if (!lead->lose()) {
    if (lead->then_) lead->then_(lead->owner_);
  } else if (lead->ex_.head_sent) {
    lead->ex_.sleeper().wake();  // it may wait for a client that takes nothing any more
  }
}

std::unique_ptr<SharedAnswer::Reader> coalesce(Exchange& ex, const Intake& intake) {
  if (intake.entry.operation != Operation::chat || keeps_state(intake) || !is_deterministic(intake)) return nullptr;
  return enter(ex, key_of(ex, intake));
}

std::unique_ptr<SharedAnswer::Reader> coalesce(Exchange& ex, const Errand& errand) {
  const EmbeddingShape shape = errand.operation().embeds;
  if (shape == EmbeddingShape::none || shape == EmbeddingShape::invoked || !errand.whole) return nullptr;
  return enter(ex, key_of(ex, errand));
}

Task<Result<bool>> wait_for_readers(Exchange& ex) {
  SharedAnswer& answer = ex.lead->answer();
  net::Loop& loop = ex.worker.loop();
  std::int64_t by = loop.now_ms() + most_stalled_ms;
  for (auto at = answer.crowded(); at;) {
    ex.sleeper().deadline(by);
    const net::Woke woke = co_await ex.sleeper().woken();
    if (woke == net::Woke::cancelled) co_return fail(Fault::client_gone, "The client left.");
    if (loop.now_ms() >= by) answer.drop_slow();
    const auto now = answer.crowded();
    if (now != at) by = loop.now_ms() + most_stalled_ms;
    at = now;
  }
  co_return true;
}

Task<Result<bool>> follow(Exchange& ex, SharedAnswer::Reader& reader) {
  std::string bytes;
  bool begun = false;
  for (;;) {
    auto took = reader.take(bytes);
    if (!took) co_return std::unexpected(std::move(took).error());
    if (*took == SharedAnswer::Reader::Got::wait) {
      ex.sleeper().deadline(net::never);
      const net::Woke woke = co_await ex.sleeper().woken();
      if (woke == net::Woke::cancelled) co_return fail(Fault::client_gone, "The client left.");
      continue;
    }
    const SharedAnswer::Head& head = reader.head();
    if (!begun) {
      begun = true;
      ex.record.served = head.served;
      ex.record.notes = head.notes;
      ex.relayed_fields = head.fields;
    }
    const bool last = *took == SharedAnswer::Reader::Got::end;
    if (!head.stream) {
      if (!last) continue;
      co_return co_await send_whole(ex, {.status = head.status, .content_type = head.content_type}, bytes);
    }
    if (ex.record.first_token_us < 0) ex.record.first_token_us = ex.elapsed_us();
    auto sent = co_await send_stream(ex, head.content_type, bytes, last);
    if (!sent || last) co_return sent;
    bytes.clear();
  }
}

}  // namespace sluice
