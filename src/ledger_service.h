// The running gateway's ledger: its journal, its store and the thread between them, opened and closed in order.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "config/config.h"
#include "gateway/health.h"
#include "ledger/drainer.h"
#include "ledger/journal.h"
#include "ports/ledger_store.h"
#include "telemetry/log.h"

namespace sluice {

class LedgerService {
 public:
  // The ledger's file below its directory.
  [[nodiscard]] static std::string file_in(const std::string& directory) { return directory + "/ledger.db"; }

  // Null where the configuration wants none. Error: internal, with what the system says.
  [[nodiscard]] static Result<std::unique_ptr<LedgerService>> open(const Config& config);
  LedgerService(const LedgerService&) = delete;
  LedgerService& operator=(const LedgerService&) = delete;
  ~LedgerService();

  // The store once more, for another thread.
  [[nodiscard]] static Result<std::unique_ptr<LedgerStore>> open_store(const Config& config);
  [[nodiscard]] Journal& journal() { return *journal_; }
  // From any thread.
  [[nodiscard]] LedgerHealth health() const;
  // Says what has changed since it was last asked, once.
  void tell(Log& log);
  // Before the workers end: nobody waits for the disk any more.
  void stop() { journal_->stop(); }

 private:
  LedgerService() = default;
  std::unique_ptr<LedgerStore> store_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Drainer> drainer_;
  LedgerHealth told_;
  std::int64_t crashed_told_ = 0, damaged_told_ = 0;
};

}  // namespace sluice
