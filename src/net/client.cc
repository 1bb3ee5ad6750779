// SPDX-License-Identifier: MIT
#include "net/client.h"

#include <algorithm>

namespace sluice::net {
namespace {

constexpr http1::Limits limits{.head = 64 * 1024};

}  // namespace

void ClientConnection::begin(std::span<const iovec> request, bool head_only) {
  head_only_ = head_only;
  if (outbox_.send(socket_, request) == Sent::broken) why_ = socket_.error();
}

bool ClientConnection::send(std::span<const iovec> pieces) {
  if (outbox_.send(socket_, pieces) != Sent::broken) return true;
  why_ = socket_.error();
  outbox_.clear();
  return false;
}

bool ClientConnection::push() {
  if (outbox_.size() == 0) return true;
  if (outbox_.flush(socket_) != Sent::broken) return true;
  outbox_.clear();
  return false;
}

ClientConnection::Step ClientConnection::broken(std::string why) {
  why_ = std::move(why);
  keep_alive_ = false;
  left_ = {};
  return Step::broken;
}

ClientConnection::Step ClientConnection::fill(Scratch& scratch) {
  if (!socket_.watch().readable && !socket_.tls()) return Step::wait;
  const Io io = socket_.read(scratch.bytes.data(), Scratch::size);
  switch (io.state) {
    case IoState::done:
      answered_ = true;
      left_ = {scratch.bytes.data(), io.size};
      return Step::ready;
    case IoState::again: return Step::wait;
    case IoState::eof: return Step::over;
    case IoState::broken: return broken(socket_.error());
  }
  return Step::broken;
}

ClientConnection::Step ClientConnection::read_head(Scratch& scratch, http1::ResponseHead& head) {
  for (;;) {
    if (left_.empty()) {
      switch (const Step step = fill(scratch)) {
        case Step::ready: break;
        case Step::over: return broken(answered_ ? "closed inside the response head" : "closed before it answered");
        case Step::wait:
        case Step::broken: return step;
      }
      if (!held_.empty()) {
        held_.append(left_);
        left_ = held_;
      }
    }
    const http1::Parsed parsed = http1::parse_response(left_, limits, seen_, head_only_, head);
    if (parsed.step == http1::Step::bad) return broken("malformed response head: " + std::string(parsed.why));
    if (parsed.step == http1::Step::more) {
      if (held_.empty()) held_.assign(left_);
      left_ = {};
      continue;
    }
    left_.remove_prefix(parsed.consumed);
    seen_ = 0;
    if (head.status >= 100 && head.status < 200) {
      if (head.status == 101) return broken("the upstream switched protocols unasked");
      held_.assign(left_);
      left_ = held_;
      continue;
    }
    body_ = head.body;
    length_left_ = body_.length;
    keep_alive_ = head.keep_alive && body_.kind != http1::BodyKind::until_close;
    over_ = body_.kind == http1::BodyKind::none || (body_.kind == http1::BodyKind::length && body_.length == 0);
    return Step::ready;
  }
}

ClientConnection::Step ClientConnection::read_body(Scratch& scratch, std::string_view& payload) {
  for (;;) {
    if (over_) return Step::over;
    if (left_.empty()) {
      switch (const Step step = fill(scratch)) {
        case Step::ready: break;
        case Step::over:
          if (body_.kind == http1::BodyKind::until_close) {
            over_ = true;
            return Step::over;
          }
          return broken("closed before the body was complete");
        case Step::wait:
        case Step::broken: return step;
      }
    }
    switch (body_.kind) {
      case http1::BodyKind::none: return Step::over;
      case http1::BodyKind::until_close: payload = std::exchange(left_, {}); return Step::ready;
      case http1::BodyKind::length: {
        const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(length_left_, left_.size()));
        payload = left_.substr(0, size);
        left_.remove_prefix(size);
        length_left_ -= size;
        over_ = length_left_ == 0;
        return Step::ready;
      }
      case http1::BodyKind::chunked: {
        const auto taken = chunks_.take(left_);
        left_.remove_prefix(taken.consumed);
        if (taken.step == http1::Step::bad) return broken("malformed chunk framing");
        if (taken.step == http1::Step::done) over_ = true;
        if (taken.payload.empty()) continue;
        payload = taken.payload;
        return Step::ready;
      }
    }
  }
}

void ClientConnection::reuse() {
  held_ = {};
  left_ = {};
  why_.clear();
  chunks_ = {};
  body_ = {};
  seen_ = 0;
  fresh_ = answered_ = keep_alive_ = over_ = false;
}

}  // namespace sluice::net
