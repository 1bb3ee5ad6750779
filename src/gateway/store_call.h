// A call to a port that answers from another thread, as something that an exchange can sleep for.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "base/result.h"
#include "base/task.h"
#include "gateway/exchange.h"
#include "gateway/worker.h"

namespace sluice {

template <class T>
class StoreCall {
 public:
  explicit StoreCall(Exchange& ex) : state_(std::make_shared<State>()) {
    state_->loop = &ex.worker.loop();
    state_->sleeper = &ex.sleeper();
  }
  ~StoreCall() { state_->sleeper = nullptr; }
  StoreCall(const StoreCall&) = delete;
  StoreCall& operator=(const StoreCall&) = delete;

  // What the port is to call.
  [[nodiscard]] std::move_only_function<void(Result<T>)> callback() {
    return [state = state_](Result<T> said) {
      if (std::this_thread::get_id() == state->thread) {
        state->said.emplace(std::move(said));
        return;
      }
      auto carried = std::make_shared<Result<T>>(std::move(said));
      state->loop->post([state, carried] {
        state->said.emplace(std::move(*carried));
        if (state->sleeper) state->sleeper->wake();
      });
    };
  }
  [[nodiscard]] bool answered() const { return state_->said.has_value(); }
  [[nodiscard]] Result<T> take() { return *std::move(state_->said); }

 private:
  struct State {
    net::Loop* loop = nullptr;
    net::Sleeper* sleeper = nullptr;  // null when nobody waits any more
    std::thread::id thread = std::this_thread::get_id();
    std::optional<Result<T>> said;  // the loop's thread's
  };
  std::shared_ptr<State> state_;
};

// Sleeps until the call is answered. Errors: its own, client_gone, internal when it takes too long.
template <class T>
Task<Result<T>> wait_for(Exchange& ex, StoreCall<T>& call) {
  constexpr std::int64_t patience_ms = 10'000;
  ex.sleeper().deadline(ex.worker.loop().now_ms() + patience_ms);
  while (!call.answered()) {
    const net::Woke woke = co_await ex.sleeper().woken();
    if (woke == net::Woke::cancelled) co_return fail(Fault::client_gone, "The client left.");
    if (woke == net::Woke::timeout) co_return fail(Fault::internal, "The gateway's storage does not answer.");
  }
  co_return call.take();
}

}  // namespace sluice
