// Names to addresses over c-ares, one Resolver per loop: numbers, `localhost` and /etc/hosts at once, the rest from DNS
// with a cache. Not here: in which order addresses are tried (connect.h). SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "net/address.h"
#include "net/loop.h"

struct ares_channeldata;
struct ares_addrinfo;

namespace sluice::net {

struct ResolverOptions {
  std::string servers;                    // "127.0.0.1:5353,[::1]:53"; empty = those of `file`
  std::string file = "/etc/resolv.conf";  // read again when it has changed
  int timeout_ms = 2000;                  // of the first try; later ones wait longer
  int tries = 3;                          // per server
  std::size_t most = 1024;                // names remembered
};

class Resolver {
 public:
  // Error: internal, when c-ares cannot start.
  [[nodiscard]] static Result<std::unique_ptr<Resolver>> make(Loop& loop, const ResolverOptions& options = {});
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  ~Resolver();

  // The addresses of a host, never none, best first (RFC 6724). A name is asked for once however many wait for it, and
  // remembered for its TTL; when asking fails, the last answer serves for an hour more. Errors: upstream_unreachable
  // (no such name, no server), upstream_timeout, client_gone. The query itself goes on when a waiter leaves.
  [[nodiscard]] Task<Result<std::vector<Address>>> resolve(Sleeper& sleeper, std::string host);

  // Queries sent so far (answers from /etc/hosts count), for tests and metrics.
  [[nodiscard]] std::uint64_t queries() const { return asked_; }

 private:
  struct Answer {  // a remembered name; times in the loop's milliseconds
    std::vector<Address> addresses;
    std::int64_t fresh_until = 0;
    std::int64_t usable_until = 0;
  };
  struct Waiter;   // one resolve() that sleeps
  struct Query;    // one name in flight
  struct Foreign;  // one descriptor of c-ares
  struct Timer;
  Resolver(Loop& loop, ResolverOptions options);
  // Makes the channel, in place of an older one. The status of c-ares.
  [[nodiscard]] int open_channel();
  void follow_file();

  [[nodiscard]] const Answer* fresh(const std::string& host) const;
  // Starts a query; its result, when it was answered at once.
  [[nodiscard]] std::optional<Result<std::vector<Address>>> ask(const std::string& host);
  void answered(Query& query, int status, ares_addrinfo* found);
  void remember(const std::string& host, Answer answer);
  void descriptor(int fd, bool read, bool write);
  void process(int read_fd, int write_fd);
  void set_timer();

  Loop& loop_;
  const ResolverOptions options_;
  ares_channeldata* channel_ = nullptr;
  std::string version_;  // of the file that the channel was made from
  std::unordered_map<std::string, Answer> answers_;
  std::unordered_map<std::string, std::unique_ptr<Query>> queries_;
  std::vector<std::unique_ptr<Query>> finished_;
  std::unordered_map<int, std::unique_ptr<Foreign>> descriptors_;
  std::unique_ptr<Timer> timer_;
  std::uint64_t asked_ = 0;
};

}  // namespace sluice::net
