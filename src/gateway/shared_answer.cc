// SPDX-License-Identifier: MIT
#include "gateway/shared_answer.h"

#include <algorithm>
#include <utility>

namespace sluice {

void SharedAnswer::called_by(net::Sleeper* sleeper) {
  const std::lock_guard lock(mutex_);
  if (caller_) caller_->sleeper = nullptr;
  caller_ = sleeper ? std::make_shared<Caller>(&sleeper->loop(), sleeper) : nullptr;
}

void SharedAnswer::begin(Head head) {
  const std::lock_guard lock(mutex_);
  if (!head_) head_ = std::move(head);
}

void SharedAnswer::append(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (ended_ || error_) return;
  bytes_ += bytes;
  if (bytes_.size() > most_kept) closed_ = true;
  if (closed_) drop_read();
  wake();
}

void SharedAnswer::end() {
  const std::lock_guard lock(mutex_);
  if (error_) return;
  ended_ = true;
  wake();
}

void SharedAnswer::fail(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (ended_ || error_) return;
  error_ = error;
  closed_ = true;
  wake();
}

bool SharedAnswer::read() {
  const std::lock_guard lock(mutex_);
  return !seats_.empty();
}

bool SharedAnswer::left() {
  const std::lock_guard lock(mutex_);
  left_ = true;
  if (seats_.empty()) closed_ = true;
  return !seats_.empty();
}

// Everybody who waits looks again, on their own threads.
void SharedAnswer::wake() {
  for (const auto& seat : seats_) {
    if (seat->called) continue;
    seat->called = true;
    seat->loop->post([seat] {
      if (seat->sleeper) seat->sleeper->wake();
    });
  }
}

void SharedAnswer::wake_caller() {
  if (!std::exchange(waits_, false) || !caller_) return;
  caller_->loop->post([caller = caller_] {
    if (caller->sleeper) caller->sleeper->wake();
  });
}

// How far whoever is still waited for has come.
std::uint64_t SharedAnswer::slowest() const {
  std::uint64_t out = from_ + bytes_.size();
  for (const auto& seat : seats_) {
    if (!seat->late) out = std::min(out, seat->at);
  }
  return out;
}

std::optional<std::uint64_t> SharedAnswer::crowded() {
  const std::lock_guard lock(mutex_);
  const std::uint64_t at = slowest();
  waits_ = !ended_ && from_ + bytes_.size() - at > most_behind;
  return waits_ ? std::optional(at) : std::nullopt;
}

void SharedAnswer::drop_slow() {
  const std::lock_guard lock(mutex_);
  for (const auto& seat : seats_) seat->late |= from_ + bytes_.size() - seat->at > most_behind;
  wake();
}

// Nobody comes late any more: what all have taken is not needed.
void SharedAnswer::drop_read() {
  const std::uint64_t first = slowest();
  if (first - from_ < most_kept / 2) return;
  bytes_.erase(0, first - from_);
  from_ = first;
}

SharedAnswer::Reader::Reader(std::shared_ptr<SharedAnswer> answer, net::Sleeper& sleeper)
    : answer_(std::move(answer)), seat_(std::make_shared<Seat>(&sleeper.loop(), &sleeper)) {}

std::unique_ptr<SharedAnswer::Reader> SharedAnswer::Reader::join(const std::shared_ptr<SharedAnswer>& answer,
                                                                 net::Sleeper& sleeper) {
  auto out = std::make_unique<Reader>(answer, sleeper);
  const std::lock_guard lock(answer->mutex_);
  if (answer->closed_) return nullptr;
  answer->seats_.push_back(out->seat_);
  return out;
}

SharedAnswer::Reader::~Reader() {
  seat_->sleeper = nullptr;
  const std::lock_guard lock(answer_->mutex_);
  if (std::erase(answer_->seats_, seat_) == 0) return;
  answer_->wake_caller();
  if (!answer_->seats_.empty() || !answer_->left_) return;
  answer_->closed_ = true;
  if (!answer_->caller_) return;
  answer_->caller_->loop->post([caller = answer_->caller_] {
    if (caller->sleeper) caller->sleeper->cancel();
  });
}

Result<SharedAnswer::Reader::Got> SharedAnswer::Reader::take(std::string& bytes) {
  SharedAnswer& a = *answer_;
  const std::lock_guard lock(a.mutex_);
  seat_->called = false;
  if (seat_->late) return sluice::fail(Fault::overloaded, "This client is too slow for an answer that is shared.");
  const std::size_t at = seat_->at - a.from_;
  if (at < a.bytes_.size()) {
    bytes.append(a.bytes_, at);
    seat_->at = a.from_ + a.bytes_.size();
    a.wake_caller();
    if (!head_) head_ = a.head_;
    return a.ended_ ? Got::end : Got::piece;
  }
  if (a.error_) return sluice::fail(*a.error_);
  if (!a.ended_) return Got::wait;
  if (!head_) head_ = a.head_;
  return Got::end;
}

}  // namespace sluice
