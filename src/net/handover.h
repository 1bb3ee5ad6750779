// How listening sockets pass from a running process to its successor: over a local socket, to a process of the same
// user only. Both then accept from the same queues until the first one drains, so that no connection meets a closed
// door. Not here: when to drain. SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/result.h"
#include "net/listener.h"

namespace sluice::net {

// The door of the running process. Nothing here sleeps; poll its descriptors for reading and call turn().
class HandoverDoor {
 public:
  // Listens at `address`: a path, or "@name" in the system's abstract namespace. Error: bad_request with a sentence
  // for the operator (somebody else listens there, no such folder).
  [[nodiscard]] static Result<std::unique_ptr<HandoverDoor>> open(const std::string& address);
  ~HandoverDoor();
  HandoverDoor(const HandoverDoor&) = delete;
  HandoverDoor& operator=(const HandoverDoor&) = delete;

  [[nodiscard]] int listening() const { return listening_; }
  [[nodiscard]] int guest() const { return guest_; }  // -1: nobody is there

  enum class Said : std::uint8_t {
    nothing,   // go on
    stranger,  // somebody of another user was turned away
    asked,     // the successor has the sockets now
    left,      // it went without serving
    serves,    // it serves: the door is closed, drain
  };
  // Takes what has been said meanwhile. `own` are the sockets to give.
  [[nodiscard]] Said turn(const Inherited& own);
  // The process that asked last.
  [[nodiscard]] int guest_pid() const { return guest_pid_; }

 private:
  HandoverDoor(int listening, std::string path) : listening_(listening), path_(std::move(path)) {}
  [[nodiscard]] Said let_in();
  [[nodiscard]] Said hear(const Inherited& own);
  [[nodiscard]] bool give(const Inherited& own) const;
  void close();
  void see_off();
  int listening_;
  int guest_ = -1;
  int guest_pid_ = 0;
  bool given_ = false;
  std::chrono::steady_clock::time_point guest_until_;
  std::string path_;  // to be removed; empty for an abstract address
};

// The running process as its successor meets it.
class Predecessor {
 public:
  // Asks whoever listens at `address` for its sockets; nullopt when nobody does. Sleeps, at most `patience`. Errors:
  // bad_request with a sentence for the operator (another user's process, no answer).
  [[nodiscard]] static Result<std::optional<Predecessor>> meet(const std::string& address,
                                                               std::chrono::milliseconds patience);
  Predecessor(Predecessor&& other) noexcept;
  Predecessor& operator=(Predecessor&&) = delete;
  ~Predecessor();

  // Its listening sockets, the caller's from now on.
  [[nodiscard]] Inherited take() { return std::exchange(inherited_, {}); }
  [[nodiscard]] int pid() const { return pid_; }
  // Tells it that we serve. True once it has let go of the address; false when it is gone, which is as well.
  bool replace();

 private:
  explicit Predecessor(int fd) : fd_(fd) {}
  [[nodiscard]] Result<void> receive();
  int fd_;
  int pid_ = 0;
  Inherited inherited_;
};

}  // namespace sluice::net
