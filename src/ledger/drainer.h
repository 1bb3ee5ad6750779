// Moves the journal into the store, on a thread of its own, and what the journals of dead processes hold as well. What
// the store does not take now stays where it is and is tried again. SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "ledger/books.h"
#include "ledger/journal.h"
#include "ports/ledger_store.h"

namespace sluice {

class Drainer {
 public:
  using Clock = std::int64_t (*)();  // Unix milliseconds
  struct State {
    std::string failure;       // why the store does not take rows; empty: it does
    std::int64_t written = 0;  // rows, that were new
    std::int64_t crashed = 0;  // of processes that died
    std::int64_t damaged = 0;  // bytes of journals that no record, or none that is whole, could be made of
    std::string unread;        // why what a dead process left cannot be read; it is kept. Empty: it can
  };

  // All must outlive it. `retention_ms`: 0, nothing is forgotten.
  Drainer(Journal& journal, LedgerStore& store, Clock clock, std::int64_t retention_ms);
  Drainer(const Drainer&) = delete;
  Drainer& operator=(const Drainer&) = delete;
  ~Drainer();

  // Moves what is there, and ends. True: all of it, so that the journal may go.
  bool close();
  [[nodiscard]] State state() const;
  void retain(std::int64_t retention_ms) { retention_ms_ = retention_ms; }

 private:
  enum class Adopted : std::uint8_t { all, unreadable, refused };
  void run();
  // One turn. False: the store refused something.
  bool drain();
  bool adopt_all();
  [[nodiscard]] Adopted adopt(HeldDirectory& directory);
  [[nodiscard]] Adopted unreadable(const std::string& why);
  bool write_crashed(Books& books, std::int64_t& crashed);
  bool refused(const Error& error);
  bool write(std::vector<LedgerRow>& rows);
  void tidy();

  Journal& journal_;
  LedgerStore& store_;
  Clock clock_;
  std::atomic<std::int64_t> retention_ms_;
  Books books_;
  std::vector<LedgerRow> rows_;  // of what was read and is not yet in the store
  bool more_ = false;            // the last turn left something
  std::vector<HeldDirectory> left_, unread_;
  std::int64_t looked_ms_ = 0, tidied_ms_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  State state_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace sluice
