// What the tests of net/ stand on: a loop that runs one task to its end, blocking peers in threads, certificates made
// on the spot. SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/task.h"
#include "net/loop.h"

namespace sluice::net::rig {

// A loop on this thread. run() starts a task and returns its value; a task that takes more than 20 s ends the program,
// so that a lost wake-up is a failure and not a hang.
class Rig {
 public:
  Rig();
  template <class T>
  T run(Task<T> task) {
    std::optional<T> out;
    Task<> whole = finish(std::move(task), out);
    whole.start();
    if (!whole.done()) spin();
    return std::move(*out);
  }
  // Lets the loop run for so long.
  void idle(int ms);
  Loop& operator*() { return *loop; }
  Loop* operator->() { return loop.get(); }
  std::unique_ptr<Loop> loop;

 private:
  template <class T>
  Task<> finish(Task<T> task, std::optional<T>& out) {
    out = co_await std::move(task);
    if (spinning_) loop->stop();
  }
  void spin();
  bool spinning_ = false;
};

// A listening socket on loopback and a thread that serves one connection after the other with `serve` (blocking
// descriptor, closed afterwards) until it dies.
class Peer {
 public:
  explicit Peer(std::function<void(int fd)> serve, bool v6 = false);
  ~Peer();
  std::uint16_t port = 0;

 private:
  int listener_ = -1;
  std::jthread thread_;
};

// Blocking helpers for peers.
std::string read_some(int fd, std::size_t most = 4096);  // empty at the end
std::string read_exactly(int fd, std::size_t size);
std::string read_until(int fd, std::string_view mark);
void write_all(int fd, std::string_view bytes);
// Writes back whatever comes until the end.
void echo(int fd);

// Both ends of a non-blocking stream pair.
struct Pair {
  int a = -1;
  int b = -1;
};
Pair pair(bool nonblocking_b = true);

// A directory of PEM files that dies with it: ca.pem, and NAME.pem / NAME.key signed by that CA.
class Certificates {
 public:
  Certificates();
  ~Certificates();
  // `names` as in subjectAltName: "DNS:localhost,IP:127.0.0.1"; valid from now + from to now + until, in seconds.
  void make(const std::string& name, const std::string& names, long from = -3600, long until = 3600);
  [[nodiscard]] std::string path(const std::string& file) const { return directory_ + "/" + file; }

 private:
  struct Issuer;
  std::string directory_;
  std::unique_ptr<Issuer> issuer_;
};

// A port of loopback on which nobody listens.
std::uint16_t free_port();

}  // namespace sluice::net::rig
