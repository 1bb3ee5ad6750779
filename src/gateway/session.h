// One client connection: its requests, one after the other. SPDX-License-Identifier: MIT
#pragma once

#include "base/task.h"
#include "gateway/exchange.h"
#include "gateway/worker.h"
#include "net/server.h"

namespace sluice {

class Session {
 public:
  Session(Worker& worker, net::Socket socket);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  // Runs until the connection is over; the worker then buries it.
  void start();
  // Ends an idle connection once it stays silent for a moment, a busy one after its exchange.
  void drain();
  // Ends whatever goes on.
  void cut();
  [[nodiscard]] const std::string& peer() const { return peer_; }

 private:
  Task<void> run();
  // One request, or the refusal of one whose head could not be read. True: the connection may serve another.
  Task<bool> exchange(const Error* unreadable);
  static void client_gone(void* self);
  Worker& worker_;
  net::Sleeper sleeper_;
  net::ServerConnection client_;
  Task<void> task_;
  std::string peer_;
  // How long nothing may come from the client before its next request.
  [[nodiscard]] std::int64_t idle_ms() const;
  bool busy_ = true;     // else it waits for a request
  bool served_ = false;  // one at least
  bool cut_ = false;
};

// Gives the finished record to every sink.
void settle(Exchange& ex);

}  // namespace sluice
