// SPDX-License-Identifier: MIT
#include "net/server.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace sluice::net {
namespace {

constexpr http1::Limits limits{};
constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";

std::unexpected<Failure> gone() {
  return fail(Fault::client_gone, "The client left.");
}

std::unexpected<Failure> too_large(std::size_t max) {
  return fail(Fault::too_large, "The request body is larger than " + std::to_string(max) + " bytes.");
}

constexpr std::size_t most_spare = 16;  // 1 MiB per loop

void enlarge(std::string& buffer) {
  buffer.resize_and_overwrite(Scratch::size, [](char*, std::size_t n) { return n; });
}

}  // namespace

Scratch::Scratch() {
  enlarge(bytes);
}

std::string Scratch::take(std::size_t used) {
  std::string out = std::move(bytes);
  out.resize(used);
  bytes.clear();
  if (!spare_.empty()) {
    bytes = std::move(spare_.back());
    spare_.pop_back();
  }
  enlarge(bytes);
  return out;
}

void Scratch::give_back(std::string buffer) {
  if (buffer.capacity() == size && spare_.size() < most_spare) spare_.push_back(std::move(buffer));
}

ServerConnection::~ServerConnection() {
  release_head();
  scratch_.give_back(std::move(in_));
}

void ServerConnection::release_head() {
  if (head_ && scratch_.heads.size() < 64) scratch_.heads.push_back(std::move(head_));
  head_.reset();
}

void ServerConnection::release_request(std::size_t keep) {
  release_head();
  if (used_ == in_.size()) {
    if (in_.capacity() == Scratch::size) scratch_.give_back(std::exchange(in_, {}));
    in_.clear();
  } else {
    in_.erase(0, used_);
  }
  if (in_.capacity() > keep && in_.size() <= keep / 2) in_.shrink_to_fit();
  decoded_ = {};
  used_ = head_size_ = seen_ = 0;
}

Result<bool> ServerConnection::parse_head() {
  if (in_.empty()) return false;
  if (!head_) {
    if (scratch_.heads.empty()) {
      head_ = std::make_unique<http1::RequestHead>();
    } else {
      head_ = std::move(scratch_.heads.back());
      scratch_.heads.pop_back();
    }
  }
  const http1::Parsed parsed = http1::parse_request(in_, limits, seen_, *head_);
  if (parsed.step == http1::Step::more) return false;
  if (parsed.step == http1::Step::bad) {
    Error error{.fault = Fault::bad_request, .message = std::string(parsed.why), .status = parsed.status};
    return fail(std::move(error));
  }
  head_size_ = used_ = parsed.consumed;
  body_read_ = head_->body.kind == http1::BodyKind::none ||
               (head_->body.kind == http1::BodyKind::length && head_->body.length == 0);
  return true;
}

// Appends to in_ what the client sends next. False: the client closed.
Task<Result<bool>> ServerConnection::more(std::int64_t deadline_ms) {
  for (;;) {
    if (socket_.watch().readable || socket_.tls()) {
      const Io io = socket_.read(scratch_.bytes.data(), Scratch::size);
      if (io.state == IoState::done) {
        if (in_.empty() && io.size > Scratch::size / 2) {
          in_ = scratch_.take(io.size);
        } else {
          in_.append(scratch_.bytes, 0, io.size);
        }
        co_return true;
      }
      if (io.state == IoState::eof) co_return false;
      if (io.state == IoState::broken) co_return gone();
    }
    sleeper_.deadline(deadline_ms);
    const Woke woke = co_await sleeper_.readable(socket_.watch());
    if (woke == Woke::timeout) co_return fail(Fault::request_timeout, "The request took too long to arrive.");
    if (woke == Woke::cancelled) co_return gone();
  }
}

Task<Result<bool>> ServerConnection::receive_head(const Patience& patience) {
  body_read_ = true;
  std::int64_t deadline = never;
  for (;;) {
    CO_TRY(const bool complete, parse_head());
    if (complete) co_return true;
    const std::int64_t now = sleeper_.loop().now_ms();
    const bool idle = in_.empty();
    if (idle) {
      deadline = now + patience.idle_ms;
    } else if (deadline == never || deadline > now + patience.head_ms) {
      deadline = now + patience.head_ms;
    }
    auto got = co_await more(deadline);
    if (!got && idle && got.error()->fault == Fault::request_timeout) co_return false;
    if (!got) co_return std::unexpected(std::move(got).error());
    if (!*got) {
      if (in_.empty()) co_return false;
      co_return gone();
    }
    if (idle) deadline = never;
  }
}

Task<Result<std::string_view>> ServerConnection::receive_body(const Patience& patience, std::size_t max) {
  const http1::Body body = head_->body;
  if (body_read_ && body.kind == http1::BodyKind::chunked) co_return std::string_view(decoded_);
  if (body_read_) co_return std::string_view(in_).substr(head_size_, static_cast<std::size_t>(body.length));
  if (body.kind == http1::BodyKind::length && body.length > max) co_return too_large(max);
  if (head_->expects_continue && in_.size() == head_size_) {
    const iovec line = piece(go_on);
    if (send({&line, 1}) == Sent::kept) {
      CO_TRY_VOID(co_await flush(patience));
    }
  }
  const auto next_deadline = [&] { return sleeper_.loop().now_ms() + patience.body_ms; };
  if (body.kind == http1::BodyKind::length) {
    const std::size_t total = head_size_ + static_cast<std::size_t>(body.length);
    if (in_.size() < total) {
      if (in_.capacity() < total) {
        in_.reserve(total);
        std::size_t again = 0;
        (void)http1::parse_request(in_, limits, again, *head_);  // the views must follow the bytes
      }
      // Straight into its place: no copy for what is large.
      while (in_.size() < total) {
        const std::size_t had = in_.size();
        const std::size_t want = std::min(total - had, std::size_t{1} << 20);
        Io io{IoState::again, 0};
        if (socket_.watch().readable || socket_.tls()) {
          in_.resize_and_overwrite(had + want, [&](char* p, std::size_t) {
            io = socket_.read(p + had, want);
            return had + (io.state == IoState::done ? io.size : 0);
          });
        }
        if (io.state == IoState::done) continue;
        if (io.state != IoState::again) co_return gone();
        sleeper_.deadline(next_deadline());
        const Woke woke = co_await sleeper_.readable(socket_.watch());
        if (woke == Woke::timeout)
          co_return fail(Fault::request_timeout, "The request's body took too long to arrive.");
        if (woke == Woke::cancelled) co_return gone();
      }
    }
    used_ = total;
    body_read_ = true;
    co_return std::string_view(in_).substr(head_size_, static_cast<std::size_t>(body.length));
  }
  http1::ChunkFollower follower;
  std::size_t at = head_size_;
  for (;;) {
    while (at < in_.size()) {
      const auto taken = follower.take(std::string_view(in_).substr(at));
      at += taken.consumed;
      decoded_.append(taken.payload);
      if (decoded_.size() > max) co_return too_large(max);
      if (taken.step == http1::Step::bad)
        co_return fail(Fault::bad_request, "The request's body is not properly chunked.");
      if (taken.step == http1::Step::done) {
        used_ = at;
        body_read_ = true;
        co_return std::string_view(decoded_);
      }
    }
    in_.resize(head_size_);  // the chunks are decoded: only the head stays
    at = head_size_;
    const char* before = in_.data();
    auto deadline = next_deadline();
    CO_TRY(const bool got, co_await more(deadline));
    if (!got) co_return gone();
    if (in_.data() != before) {
      std::size_t again = 0;
      (void)http1::parse_request(in_, limits, again, *head_);
    }
  }
}

Task<Result<bool>> ServerConnection::begin_body(const Patience& patience) {
  left_ = {};
  chunks_ = {};
  counted_ = head_->body.kind == http1::BodyKind::length;
  length_left_ = head_->body.length;
  if (!body_read_ && head_->expects_continue && in_.size() == head_size_) {
    const iovec line = piece(go_on);
    if (send({&line, 1}) == Sent::kept) {
      CO_TRY_VOID(co_await flush(patience));
    }
  }
  co_return true;
}

// The body is over: what was read beyond it is the beginning of the next request.
void ServerConnection::end_body() {
  body_read_ = true;
  if (left_in_) {
    used_ = in_.size() - left_.size();
  } else {
    in_ += left_;
  }
  left_ = {};
}

Result<ServerConnection::Body> ServerConnection::take_body(std::string_view& payload) {
  while (!body_read_) {
    if (left_.empty()) {
      left_in_ = used_ < in_.size();
      if (left_in_) {
        left_ = std::string_view(in_).substr(used_);
        used_ = in_.size();
      } else {
        if (!socket_.watch().readable && !socket_.tls()) return Body::wait;
        std::size_t most = Scratch::size;
        if (counted_) most = static_cast<std::size_t>(std::min<std::uint64_t>(most, length_left_));
        const Io io = socket_.read(scratch_.bytes.data(), most);
        if (io.state == IoState::again) return Body::wait;
        if (io.state != IoState::done) return gone();
        left_ = {scratch_.bytes.data(), io.size};
      }
    }
    if (counted_) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_.size(), length_left_));
      payload = left_.substr(0, size);
      left_.remove_prefix(size);
      length_left_ -= size;
      if (length_left_ == 0) end_body();
      return Body::piece;
    }
    const auto taken = chunks_.take(left_);
    left_.remove_prefix(taken.consumed);
    if (taken.step == http1::Step::bad) return fail(Fault::bad_request, "The request's body is not properly chunked.");
    if (taken.step == http1::Step::done) end_body();
    if (taken.payload.empty()) continue;
    payload = taken.payload;
    return Body::piece;
  }
  return Body::over;
}

Task<Result<bool>> ServerConnection::flush(const Patience& patience) {
  for (;;) {
    const std::size_t before = outbox_.size();
    const Sent sent = outbox_.flush(socket_);
    if (sent == Sent::all) co_return true;
    if (sent == Sent::broken) co_return gone();
    if (outbox_.size() != before || !sleeper_.asleep()) sleeper_.deadline(sleeper_.loop().now_ms() + patience.write_ms);
    const Woke woke = co_await sleeper_.writable(socket_.watch());
    if (woke != Woke::ready) co_return gone();
  }
}

Task<void> ServerConnection::linger() {
  if (socket_.tls() || outbox_.size() != 0) co_return;
  socket_.finish();
  sleeper_.clear();
  sleeper_.deadline(sleeper_.loop().now_ms() + 1'000);
  for (std::size_t dropped = 0; dropped < 8 * 1024 * 1024;) {
    const Io io = socket_.read(scratch_.bytes.data(), Scratch::size);
    if (io.state == IoState::done) {
      dropped += io.size;
      continue;
    }
    if (io.state != IoState::again) co_return;
    const Woke woke = co_await sleeper_.readable(socket_.watch());
    if (woke != Woke::ready) co_return;
  }
}

}  // namespace sluice::net
