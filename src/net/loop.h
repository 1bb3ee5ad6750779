// The event loop of one worker: edge-triggered epoll, deadlines, work posted from other threads. Everything but post()
// and stop() belongs to the loop's own thread. Descriptors are registered once (Watch); a coroutine sleeps through a
// Sleeper. SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/late.h"
#include "net/wheel.h"

namespace sluice::net {

class Loop;
class Sleeper;

// One registered descriptor, edge-triggered: `readable` and `writable` say what is known, and are cleared by whoever
// met EAGAIN. The loop frees it at the end of the batch in which it was dropped.
struct Watch {
  int fd = -1;
  bool readable = false;
  bool writable = false;
  bool gone = false;          // the peer closed its side or the connection broke
  bool late = false;          // something of it waits in the loop's late()
  std::uint32_t unheard = 0;  // bytes, at most, that were sent and that the peer may not have
  std::string kept;           // of what was late: what the kernel did not take
  Sleeper* reader = nullptr;
  Sleeper* writer = nullptr;
  // Called once when `gone` becomes true, before any sleeper wakes. May drop the watch.
  void (*on_gone)(void* owner) = nullptr;
  // For descriptors that no coroutine reads (listeners, event descriptors, foreign libraries' ones): called when
  // readable, and when writable.
  void (*on_readable)(void* owner) = nullptr;
  void (*on_writable)(void* owner) = nullptr;
  void* owner = nullptr;
};

enum class Woke : std::uint8_t { ready, timeout, cancelled };

// What one chain of coroutines sleeps with: at most one sleep at a time, with one deadline. Whoever holds it may
// cancel: the current sleep, or the next one, then ends as `cancelled`, until clear().
class Sleeper final : private Alarm {
 public:
  explicit Sleeper(Loop& loop) : loop_(loop) {}
  ~Sleeper() {
    if (sleep_) sleep_->sleeper = nullptr;
    forget();
  }

  // The deadline of this and the following sleeps, in the loop's milliseconds; `never` = none. Cheap to move.
  void deadline(std::int64_t at_ms);
  // The deadline that is set; now, when it passed while nobody slept.
  [[nodiscard]] std::int64_t deadline() const;
  void cancel();
  void clear() { cancelled_ = false; }
  [[nodiscard]] bool cancelled() const { return cancelled_; }
  [[nodiscard]] bool asleep() const { return static_cast<bool>(handle_); }
  // Ends the current sleep as `ready`; remembered when nobody sleeps yet.
  void wake() {
    if (handle_) {
      resume(Woke::ready);
    } else {
      woken_ = true;
    }
  }
  // Nanoseconds spent asleep since it was made.
  [[nodiscard]] std::int64_t slept_ns() const { return slept_ns_; }
  [[nodiscard]] Loop& loop() { return loop_; }

  struct Sleep {
    Sleeper* sleeper;  // null when it died during the sleep
    Watch* watch;
    bool read;
    bool write;
    ~Sleep() {  // a coroutine that dies asleep must not be resumed
      if (sleeper && sleeper->sleep_ == this) sleeper->forget();
    }
    bool await_ready() noexcept;
    void await_suspend(std::coroutine_handle<> handle) noexcept;
    Woke await_resume() noexcept;
  };
  // co_await: until the watch may be read / written, the deadline, or a cancel.
  [[nodiscard]] Sleep readable(Watch& watch) { return {this, &watch, true, false}; }
  [[nodiscard]] Sleep writable(Watch& watch) { return {this, &watch, false, true}; }
  [[nodiscard]] Sleep either(Watch& watch) { return {this, &watch, true, true}; }
  // co_await: until wake(), the deadline, or a cancel.
  [[nodiscard]] Sleep woken() { return {this, nullptr, false, false}; }

 private:
  friend class Loop;
  void ring() override;
  void resume(Woke woke);
  void forget();
  Loop& loop_;
  std::coroutine_handle<> handle_;
  Sleep* sleep_ = nullptr;  // the current one, and
  Watch* watch_ = nullptr;  // what it waits for
  Woke woke_ = Woke::ready;
  bool cancelled_ = false;
  bool woken_ = false;
  bool rang_ = false;
  std::int64_t slept_ns_ = 0;
  std::int64_t since_ns_ = 0;
};

// While it lives, what the sleeper sleeps for is also that this watch may be read: any sleep then ends as `ready`. Try
// the watch first: what was known before is not told again.
class Ear {
 public:
  Ear(Sleeper& sleeper, Watch& watch) : watch_(watch) { watch.reader = &sleeper; }
  ~Ear() { watch_.reader = nullptr; }
  Ear(const Ear&) = delete;
  Ear& operator=(const Ear&) = delete;

 private:
  Watch& watch_;
};

class Loop {
 public:
  // Error: internal, when the kernel gives no epoll or event descriptor.
  [[nodiscard]] static Result<std::unique_ptr<Loop>> make();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  // Runs until stop(); may be called again. Work that is still posted when the loop dies is dropped.
  void run();
  void stop();
  // Runs `work` on the loop's thread, soon. From any thread.
  void post(std::function<void()> work);

  // Registers a descriptor (non-blocking) for reading, writing and departure; level-triggered only for foreign
  // libraries' descriptors. Null when the kernel refuses (errno says why). The caller keeps the descriptor until
  // drop().
  [[nodiscard]] Watch* watch(int fd, bool edge = true, std::uint32_t events = 0);
  // Unregisters and closes the descriptor when `close_fd`. Who sleeps on it sleeps on until a deadline or a cancel.
  void drop(Watch* watch, bool close_fd = true);
  // Frees something at the end of the current batch of events, when nobody on the stack uses it any more.
  template <class T>
  void bury(std::unique_ptr<T> dead) {
    buried_.emplace_back(dead.release(), [](void* p) { delete static_cast<T*>(p); });
  }

  [[nodiscard]] std::int64_t now_ms() const { return now_ns_ / 1'000'000; }  // as of the last wake-up; monotonic
  [[nodiscard]] std::int64_t now_us() const { return now_ns_ / 1'000; }
  [[nodiscard]] std::int64_t now_ns() const { return now_ns_; }
  // Reads the clock.
  [[nodiscard]] static std::int64_t clock_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
  [[nodiscard]] Wheel& wheel() { return wheel_; }
  // Whether other events of this batch wait to be seen to: what is small may be sent late then.
  [[nodiscard]] bool more() const { return more_; }
  [[nodiscard]] Late& late() { return late_; }

 private:
  Loop(int epoll, int event);
  void dispatch(Watch& watch, std::uint32_t events);
  void run_posted();
  void send_late();
  void free_dead();
  int epoll_;
  int event_;
  std::int64_t now_ns_ = clock_ns();
  Wheel wheel_{now_ns_ / 1'000'000};
  bool stopped_ = false;
  bool more_ = false;
  Late late_;
  std::vector<std::unique_ptr<Watch>> dead_;
  std::vector<std::unique_ptr<void, void (*)(void*)>> buried_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
};

}  // namespace sluice::net
