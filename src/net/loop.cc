// SPDX-License-Identifier: MIT
#include "net/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace sluice::net {

Result<std::unique_ptr<Loop>> Loop::make() {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0)
    return fail(Fault::internal, "The event loop cannot start.", std::string("epoll_create1: ") + std::strerror(errno));
  const int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event interest{.events = EPOLLIN, .data = {.ptr = nullptr}};
  if (event < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, event, &interest) != 0) {
    const int code = errno;
    ::close(epoll);
    if (event >= 0) ::close(event);
    return fail(Fault::internal, "The event loop cannot start.", std::string("eventfd: ") + std::strerror(code));
  }
  return std::unique_ptr<Loop>(new Loop(epoll, event));
}

Loop::Loop(int epoll, int event) : epoll_(epoll), event_(event) {}

Loop::~Loop() {
  posted_.clear();
  free_dead();
  ::close(event_);
  ::close(epoll_);
}

void Loop::run() {
  std::array<epoll_event, 256> events;
  while (!stopped_) {
    const std::int64_t next = wheel_.next();
    int wait = -1;
    if (next != never) {
      const std::int64_t now = clock_ns() / 1'000'000;
      wait = static_cast<int>(std::clamp<std::int64_t>(next - now, 0, 60'000));
    }
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait);
    now_ns_ = clock_ns();
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      more_ = i + 1 < count;
      if (auto* watch = static_cast<Watch*>(event.data.ptr)) {
        if (watch->fd >= 0) dispatch(*watch, event.events);
      } else {
        run_posted();
      }
    }
    send_late();
    wheel_.advance(now_ns_ / 1'000'000);
    free_dead();
  }
  stopped_ = false;
}

void Loop::send_late() {
  late_.send();
  while (!late_.broken().empty()) {
    const auto broken = std::exchange(late_.broken(), {});
    for (Watch* watch : broken) {
      if (watch->fd >= 0) dispatch(*watch, EPOLLERR);
    }
  }
}

void Loop::dispatch(Watch& watch, std::uint32_t events) {
  constexpr std::uint32_t departed = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  if ((events & (EPOLLIN | departed)) != 0) watch.readable = true;
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) watch.writable = true;
  if (watch.writable && !watch.kept.empty()) late_.resend(watch);
  if ((events & departed) != 0 && !watch.gone) {
    watch.gone = true;
    if (watch.on_gone) watch.on_gone(watch.owner);
    if (watch.fd < 0) return;
  }
  if (watch.on_readable && watch.readable) {
    watch.on_readable(watch.owner);
    if (watch.fd < 0) return;
  }
  if (watch.on_writable && watch.writable) {
    watch.on_writable(watch.owner);
    if (watch.fd < 0) return;
  }
  if (watch.reader && watch.readable) {
    watch.reader->resume(Woke::ready);
    if (watch.fd < 0) return;
  }
  if (watch.writer && watch.writable) watch.writer->resume(Woke::ready);
}

void Loop::stop() {
  post([this] { stopped_ = true; });
}

void Loop::post(std::function<void()> work) {
  {
    const std::scoped_lock lock(mutex_);
    posted_.push_back(std::move(work));
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event_, &one, sizeof one);  // a full counter wakes just as well
}

void Loop::run_posted() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(event_, &count, sizeof count);
  std::vector<std::function<void()>> work;
  {
    const std::scoped_lock lock(mutex_);
    work.swap(posted_);
  }
  for (const auto& one : work) one();
}

Watch* Loop::watch(int fd, bool edge, std::uint32_t interest) {
  auto out = std::make_unique<Watch>();
  out->fd = fd;
  const std::uint32_t wanted = interest != 0 ? interest : EPOLLIN | EPOLLOUT | EPOLLRDHUP;
  epoll_event event{.events = wanted | (edge ? EPOLLET : 0U), .data = {.ptr = out.get()}};
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) return nullptr;
  return out.release();
}

void Loop::drop(Watch* watch, bool close_fd) {
  if (!watch) return;
  if (watch->fd >= 0) {
    if (close_fd) {
      ::close(watch->fd);  // takes it out of epoll as well: descriptors are never duplicated here
    } else {
      epoll_ctl(epoll_, EPOLL_CTL_DEL, watch->fd, nullptr);
    }
  }
  watch->fd = -1;
  if (watch->late || !watch->kept.empty()) late_.forget(*watch);
  if (watch->reader) watch->reader->watch_ = nullptr;
  if (watch->writer) watch->writer->watch_ = nullptr;
  watch->on_gone = nullptr;
  watch->on_readable = nullptr;
  watch->on_writable = nullptr;
  dead_.emplace_back(watch);
}

void Loop::free_dead() {
  dead_.clear();
  while (!buried_.empty()) {
    auto batch = std::move(buried_);
    buried_.clear();
    batch.clear();
    dead_.clear();
  }
}

void Sleeper::deadline(std::int64_t at_ms) {
  rang_ = false;
  loop_.wheel().set(*this, at_ms);
}

std::int64_t Sleeper::deadline() const {
  return rang_ ? loop_.now_ms() : at();
}

void Sleeper::cancel() {
  cancelled_ = true;
  if (handle_) resume(Woke::cancelled);
}

void Sleeper::ring() {
  if (handle_) {
    resume(Woke::timeout);
  } else {
    rang_ = true;
  }
}

void Sleeper::resume(Woke woke) {
  woke_ = woke;
  slept_ns_ += std::max<std::int64_t>(0, loop_.now_ns() - since_ns_);
  const auto handle = handle_;
  forget();
  handle.resume();
}

void Sleeper::forget() {
  handle_ = {};
  sleep_ = nullptr;
  if (!watch_) return;
  if (watch_->reader == this) watch_->reader = nullptr;
  if (watch_->writer == this) watch_->writer = nullptr;
  watch_ = nullptr;
}

bool Sleeper::Sleep::await_ready() noexcept {
  if (sleeper->cancelled_) {
    sleeper->woke_ = Woke::cancelled;
    return true;
  }
  sleeper->woke_ = Woke::ready;
  if (watch) return (read && watch->readable) || (write && watch->writable);
  if (std::exchange(sleeper->woken_, false)) return true;
  if (sleeper->rang_) {
    sleeper->woke_ = Woke::timeout;
    return true;
  }
  return false;
}

void Sleeper::Sleep::await_suspend(std::coroutine_handle<> handle) noexcept {
  sleeper->sleep_ = this;
  sleeper->watch_ = watch;
  if (watch && read) watch->reader = sleeper;
  if (watch && write) watch->writer = sleeper;
  sleeper->handle_ = handle;
  sleeper->since_ns_ = Loop::clock_ns();
  // A deadline that passed while nobody slept rings on the next tick.
  if (sleeper->rang_) sleeper->deadline(sleeper->loop_.now_ms());
}

Woke Sleeper::Sleep::await_resume() noexcept {
  return sleeper->woke_;
}

}  // namespace sluice::net
