// The running gateway: worker threads with their listeners, the current snapshot, reload and drain. Owned by main.
// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "config/snapshot.h"
#include "gateway/worker.h"
#include "net/listener.h"

namespace sluice {

class Gateway {
 public:
  // Binds, unless it inherits sockets, then starts the workers. `shared` must outlive it. Error: internal with a
  // sentence for the operator (port in use, no such address, certificate files, sockets of another place than
  // configured).
  [[nodiscard]] static Result<std::unique_ptr<Gateway>> start(Shared& shared,
                                                              const std::shared_ptr<const Snapshot>& snapshot,
                                                              const std::shared_ptr<const Directory>& directory,
                                                              const net::Inherited& inherited = {});
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;
  // Stops the workers at once; what is still open is cut.
  ~Gateway();

  // Every new exchange uses it from now on; those under way keep theirs.
  void publish(const std::shared_ptr<const Snapshot>& snapshot);
  // The same. Returns once every worker has it, so that from then on no key counts that is not in it; false when one
  // did not take it within `patience`. Not from a worker.
  bool publish(const std::shared_ptr<const Directory>& directory, std::chrono::milliseconds patience);
  // Reads the listener's certificate files again. Error: why the old ones stay.
  [[nodiscard]] Result<bool> reload_certificate();
  // Accepts nothing more and lets open exchanges finish; empty() tells when none is left. With a successor the sockets
  // are its, too: what waits in their queues is left to it.
  void drain(bool successor = false);
  [[nodiscard]] bool empty() const { return listening_ == 0 && dealt_ == 0 && shared_.open_connections.load() == 0; }
  // The sockets that a successor needs. They are ours until drain().
  [[nodiscard]] net::Inherited sockets() const { return sockets_; }
  // Where it listens: "127.0.0.1:8000".
  [[nodiscard]] const std::string& address() const { return address_; }

 private:
  struct Thread {
    Gateway* gateway = nullptr;
    std::unique_ptr<Worker> worker;
    std::unique_ptr<net::Listener> listener;
    std::thread thread;
  };
  explicit Gateway(Shared& shared) : shared_(shared) {}
  void accept(Thread& on, int fd);
  // What was counted of keys and groups that are no more is forgotten.
  void keep_meters(const Directory& directory);
  Shared& shared_;
  net::Inherited sockets_;
  bool deals_ = false;  // too few sockets for a kernel that spreads: connections are given to the workers in turn
  std::atomic<std::size_t> turn_{0};
  std::atomic<int> listening_{0};  // workers that accept
  std::atomic<int> dealt_{0};      // connections on their way from one worker to another
  std::vector<Thread> threads_;
  std::string address_;
};

}  // namespace sluice
