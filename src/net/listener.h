// Where clients come in: bound and listening sockets, and the accepting of what arrives on them. Not here: what is done
// with a connection. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "net/loop.h"

namespace sluice::net {

// Listening sockets of one place. Owned until taken.
class Bound {
 public:
  // Listens on every address of `host` (a number, "0.0.0.0", "::" for both families, or a name such as "localhost"),
  // once for each of `workers`, among whom the kernel spreads connections. Port 0 lets the kernel choose. A port that
  // anybody listens on already is an error, also when it is another Sluice. Blocks while a name is looked up. Error:
  // bad_request with a sentence for whoever starts the program.
  [[nodiscard]] static Result<Bound> make(const std::string& host, std::uint16_t port, int workers);
  Bound(Bound&& other) noexcept = default;
  Bound& operator=(Bound&&) = delete;
  ~Bound();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  // "127.0.0.1:8000, [::1]:8000"
  [[nodiscard]] std::string text() const;
  // One worker's descriptors, the caller's from now on. `worker` counts from 0.
  [[nodiscard]] std::vector<int> take(int worker);

 private:
  Bound() = default;
  std::uint16_t port_ = 0;
  std::vector<Address> addresses_;
  std::vector<std::vector<int>> descriptors_;  // by worker
};

// Accepts on one loop. `accepted` gets every connection as a non-blocking descriptor that is now its own; TCP options
// are set (prepare_stream). It may close the listener.
class Listener {
 public:
  using Accepted = void (*)(void* owner, int fd);
  // Takes the descriptors.
  Listener(Loop& loop, const std::vector<int>& descriptors, Accepted accepted, void* owner);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  // Accepts what the kernel has taken already, then stops listening.
  void close();
  // Connections closed at once because the process had no descriptor left for them.
  [[nodiscard]] std::uint64_t shed() const { return shed_; }

 private:
  struct Pause final : Alarm {
    explicit Pause(Listener& of) : listener(of) {}
    Listener& listener;
    void ring() override;
  };
  enum class Met : std::uint8_t { connection, nothing, no_descriptors };
  void accept_all(Watch* watch);
  [[nodiscard]] Met accept_one(int fd);
  void shed_all(int fd);

  Loop& loop_;
  const Accepted accepted_;
  void* const owner_;
  std::vector<Watch*> watches_;
  Pause pause_{*this};
  bool paused_before_ = false;
  int spare_ = -1;  // given up for a moment to accept and close what cannot be kept
  std::uint64_t shed_ = 0;
};

}  // namespace sluice::net
