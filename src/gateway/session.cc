// SPDX-License-Identifier: MIT
#include "gateway/session.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/clock.h"
#include "base/text.h"
#include "dialects/registry.h"
#include "gateway/coalesce.h"
#include "gateway/metering.h"
#include "gateway/respond.h"
#include "gateway/serve.h"

namespace sluice {
namespace {

std::string_view method_word(std::string_view method) {
  for (const std::string_view known : {"POST", "GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"}) {
    if (method == known) return known;
  }
  return "other";
}

}  // namespace

Exchange::Exchange(Worker& of, net::ServerConnection& from)
    : worker(of),
      client(from),
      snapshot(of.snapshot()),
      dialect(dialects().front()),  // until the door says otherwise
      began_ns(net::Loop::clock_ns()),
      slept_before_ns(from.sleeper().slept_ns()) {
  record.id = of.make_id();
  record.unix_ms = unix_ms();
  last_sent_ms = of.loop().now_ms();
}

// Whatever has cut it off: a call that was begun is not left open.
Exchange::~Exchange() {
  const Error cut{.fault = Fault::client_gone};
  bill.settle(*this, &cut);
  if (left()) worker.shared().read_on.fetch_sub(1, std::memory_order_relaxed);
}

std::int64_t Exchange::elapsed_us() const {
  return (net::Loop::clock_ns() - began_ns) / 1000;
}

std::int64_t Exchange::by(Millis time) const {
  return time.count() == 0 ? net::never : worker.loop().now_ms() - elapsed_us() / 1000 + time.count();
}

net::ServerConnection::Patience Exchange::patience() const {
  const ServerSettings& s = settings();
  return {.idle_ms = s.idle_timeout.count(), .head_ms = s.header_timeout.count(), .body_ms = s.body_timeout.count()};
}

bool cut_short(const Exchange& ex, const Error& error) {
  return error.fault == Fault::client_gone && ex.worker.cutting() && !ex.client.socket().gone();
}

Error leaving() {
  return {.fault = Fault::overloaded,
          .message = "The gateway is being stopped and cannot wait for this answer any longer. Ask again."};
}

void settle(Exchange& ex) {
  Record& r = ex.record;
  r.total_us = ex.elapsed_us();
  r.own_us = std::max<std::int64_t>(0, r.total_us - (ex.client.sleeper().slept_ns() - ex.slept_before_ns) / 1000);
  if (ex.metering) std::exchange(ex.metering, nullptr)->settle(ex);  // its place is free before the client has lingered
  for (Sink* sink : ex.worker.shared().sinks) sink->take(r);
}

Session::Session(Worker& worker, net::Socket socket)
    : worker_(worker),
      sleeper_(worker.loop()),
      client_(std::move(socket), sleeper_, worker.scratch()),
      peer_(client_.socket().peer()) {
  net::Watch& watch = client_.socket().watch();
  watch.owner = this;
  watch.on_gone = client_gone;
}

void Session::start() {
  task_ = run();
  task_.start();
}

void Session::client_gone(void* self) {
  static_cast<Session*>(self)->sleeper_.cancel();
}

// Whoever has just sent a request, or has connected to send one, shall not meet a closed door: that request is served
// and told that the connection closes.
std::int64_t Session::idle_ms() const {
  const std::int64_t usual = worker_.snapshot()->config().server.idle_timeout.count();
  return worker_.draining() ? std::min<std::int64_t>(usual, served_ ? 250 : 1'000) : usual;
}

void Session::drain() {
  if (busy_ || !client_.idle()) return;
  sleeper_.deadline(std::min(sleeper_.deadline(), worker_.loop().now_ms() + idle_ms()));
}

void Session::cut() {
  cut_ = true;
  sleeper_.cancel();
}

Task<void> Session::run() {
  if (const auto& tls = worker_.shared().tls) {
    client_.socket().secure(tls->begin());
    sleeper_.deadline(worker_.loop().now_ms() + worker_.snapshot()->config().server.header_timeout.count());
    const auto shaken = co_await client_.socket().shake(sleeper_);
    if (!shaken) {
      worker_.closed(*this);
      co_return;
    }
  }
  for (;;) {
    const ServerSettings& s = worker_.snapshot()->config().server;
    const net::ServerConnection::Patience patience{
        .idle_ms = idle_ms(), .head_ms = s.header_timeout.count(), .body_ms = s.body_timeout.count()};
    busy_ = false;
    const auto head = co_await client_.receive_head(patience);
    busy_ = served_ = true;
    if (!head) {
      if (head.error()->fault == Fault::client_gone) break;
    } else if (!*head) {
      break;
    }
    const bool more = co_await exchange(head ? nullptr : &*head.error());
    if (!more || cut_) break;
  }
  worker_.closed(*this);
}

namespace {

// From so many open exchanges on, memory goes back to the system at once.
constexpr std::int64_t many = 128;

// Of several threads that cross the line at once, the last one says how it is.
[[gnu::noinline]] void cross(Shared& shared) {
  if (shared.return_memory == nullptr) return;
  const std::scoped_lock lock(shared.return_memory_mutex);
  shared.return_memory(shared.open_exchanges.load(std::memory_order_relaxed) >= many);
}
void count_in(Shared& shared) {
  if (shared.open_exchanges.fetch_add(1, std::memory_order_relaxed) + 1 == many) cross(shared);
}
void count_out(Shared& shared) {
  if (shared.open_exchanges.fetch_sub(1, std::memory_order_relaxed) == many) cross(shared);
}

}  // namespace

Task<bool> Session::exchange(const Error* unreadable) {
  count_in(worker_.shared());
  Exchange ex(worker_, client_);
  ex.record.peer = peer_;
  Result<bool> done = false;
  if (unreadable) {
    ex.keep_alive = false;
    done = fail(*unreadable);
  } else {
    const http1::RequestHead& head = client_.head();
    ex.bodyless = head.method == "HEAD";
    ex.old_client = head.minor == 0;
    ex.keep_alive = head.keep_alive && !worker_.draining();
    ex.record.method = method_word(head.method);
    done = co_await serve(ex);
  }
  if (ex.left()) done = fail(Fault::client_gone, "The client left.");
  if (!done && cut_short(ex, *done.error())) done = fail(leaving());
  if (done) ex.bill.settle(ex, nullptr);
  if (!done) {
    const Error& error = done.error();
    ex.bill.settle(ex, &error);
    ex.record.fault = error.fault;
    ex.record.error = error.message;
    ex.record.detail = error.detail;
    if (ex.lead && error.fault != Fault::client_gone) ex.lead->answer().fail(error);
    if (error.fault == Fault::client_gone) {
      ex.keep_alive = false;
      if (!ex.head_sent) ex.record.status = 499;
    } else if (!ex.head_sent) {
      if (!client_.request_read()) ex.keep_alive = false;
      const auto sent = co_await send_error(ex, error);
      if (!sent) ex.keep_alive = false;
    }
  }
  if (ex.lead && ex.lead->alone()) ex.keep_alive = false;
  // A response that began and did not reach its end must not look whole.
  if (ex.head_sent && !ex.finished) ex.keep_alive = false;
  settle(ex);
  count_out(worker_.shared());
  const bool unread = unreadable || !client_.request_read();
  client_.release_request();
  if (ex.keep_alive && !unread) co_return true;
  if (!done && done.error()->fault == Fault::client_gone) co_return false;
  if (unread) co_await client_.linger();
  co_return false;
}

}  // namespace sluice
