// The running gateway: worker threads with their listeners, the current snapshot, reload and drain. Owned by main.
// SPDX-License-Identifier: MIT
#pragma once

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
  // Binds, then starts the workers. `shared` must outlive it. Error: internal with a sentence for the operator (port in
  // use, no such address, certificate files).
  [[nodiscard]] static Result<std::unique_ptr<Gateway>> start(Shared& shared, std::shared_ptr<const Snapshot> snapshot);
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;
  // Stops the workers at once; what is still open is cut.
  ~Gateway();

  // Every new exchange uses it from now on; those under way keep theirs.
  void publish(std::shared_ptr<const Snapshot> snapshot);
  // Reads the listener's certificate files again. Error: why the old ones stay.
  [[nodiscard]] Result<bool> reload_certificate();
  // Accepts nothing more and lets open exchanges finish; empty() tells when none is left.
  void drain();
  [[nodiscard]] bool empty() const { return shared_.open_connections.load() == 0; }
  // Where it listens: "127.0.0.1:8000".
  [[nodiscard]] const std::string& address() const { return address_; }

 private:
  struct Thread {
    std::unique_ptr<Worker> worker;
    std::unique_ptr<net::Listener> listener;
    std::thread thread;
  };
  explicit Gateway(Shared& shared) : shared_(shared) {}
  Shared& shared_;
  std::vector<Thread> threads_;
  std::string address_;
};

}  // namespace sluice
