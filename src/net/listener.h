// Where clients come in: bound and listening sockets, and the accepting of what arrives on them. Not here: what is done
// with a connection. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "net/loop.h"

namespace sluice::net {

// Listening sockets that somebody else has made: the process before us, or whoever started us.
struct Inherited {
  std::vector<int> sockets;
  bool activated = false;  // made by a supervisor, which keeps them: nothing in their queues is lost when we go
};

// Listening sockets of one place. Owned until taken.
class Bound {
 public:
  // Listens on every address of `host` (a number, "0.0.0.0", "::" for both families, or a name such as "localhost"),
  // once for each of `workers`, among whom the kernel spreads connections. Port 0 lets the kernel choose. A port that
  // anybody listens on already is an error, also when it is another Sluice. Blocks while a name is looked up. Error:
  // bad_request with a sentence for whoever starts the program.
  [[nodiscard]] static Result<Bound> make(const std::string& host, std::uint16_t port, int workers);
  // The same with sockets that listen already; those of one address are spread over the workers. Takes them, also when
  // it fails. Error: bad_request, when one is no listening TCP socket.
  [[nodiscard]] static Result<Bound> adopt(const std::vector<int>& sockets, int workers);
  Bound(Bound&& other) noexcept = default;
  Bound& operator=(Bound&&) = delete;
  ~Bound();

  [[nodiscard]] std::uint16_t port() const { return places_.empty() ? 0 : places_.front().port; }
  // True when make() would listen on these addresses and this port. Blocks as make() does.
  [[nodiscard]] bool is_at(const std::string& host, std::uint16_t port) const;
  // True when every worker has a socket of every address: the kernel then spreads connections over them.
  [[nodiscard]] bool even() const;
  // "127.0.0.1:8000, [::1]:8000"
  [[nodiscard]] std::string text() const;
  // One worker's descriptors, the caller's from now on. `worker` counts from 0.
  [[nodiscard]] std::vector<int> take(int worker);

 private:
  struct Place {
    Address address;
    std::uint16_t port = 0;
    bool operator==(const Place&) const = default;
  };
  Bound() = default;
  static std::optional<Place> place_of(int fd);
  std::vector<Place> places_;
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

  // Stops listening. What the kernel has taken already is accepted first, unless another process listens on the same
  // sockets.
  void close(bool shared = false);
  // The sockets it listens on; its own.
  [[nodiscard]] std::vector<int> sockets() const;
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
