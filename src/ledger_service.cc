// SPDX-License-Identifier: MIT
#include "ledger_service.h"

#include <filesystem>

#include "base/clock.h"
#include "store/sqlite_ledger.h"

namespace sluice {
Result<std::unique_ptr<LedgerService>> LedgerService::open(const Config& config) {
  const std::string directory = config.ledger_path();
  std::unique_ptr<LedgerService> out;
  if (directory.empty()) return out;
  std::error_code ignored;  // what is wrong shows at the first file
  if (std::filesystem::create_directories(directory, ignored))
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all, ignored);
  out.reset(new LedgerService());
  TRY(out->store_, open_store(config));
  TRY(out->journal_,
      Journal::open({.root = directory + "/journal",
                     .unix_ms = unix_ms(),
                     .durability = config.ledger.strict ? Journal::Durability::strict : Journal::Durability::relaxed}));
  out->drainer_ = std::make_unique<Drainer>(*out->journal_, *out->store_, unix_ms, config.ledger.retention.count());
  return out;
}

Result<std::unique_ptr<LedgerStore>> LedgerService::open_store(const Config& config) {
  TRY(std::unique_ptr<LedgerStore> out, SqliteLedger::open(file_in(config.ledger_path()), config.ledger.strict));
  return out;
}

LedgerService::~LedgerService() {
  if (journal_) journal_->stop();
  if (drainer_ && drainer_->close()) journal_->discard_on_close();
}

LedgerHealth LedgerService::health() const {
  const Journal::State journal = journal_->state();
  const Drainer::State drained = drainer_->state();
  return {.takes = journal_->takes() || journal.health == Journal::Health::well,
          .journal = journal.why,
          .store = drained.failure.empty() ? drained.unread : drained.failure};
}

void LedgerService::tell(Log& log) {
  const LedgerHealth now = health();
  if (now.takes != told_.takes || now.journal != told_.journal) {
    if (!now.takes) {
      log.say(LogLevel::error, "requests that cost money are refused: the ledger's journal has no room ({})",
              now.journal);
    } else if (!now.journal.empty()) {
      log.say(LogLevel::warning, "the ledger's journal gets no more room: {}", now.journal);
    } else {
      log.say(LogLevel::info, "the ledger's journal has room again");
    }
  }
  if (now.store.empty() != told_.store.empty()) {
    if (now.store.empty()) {
      log.say(LogLevel::info, "the ledger's rows are stored again");
    } else {
      log.say(LogLevel::error, "the ledger's rows wait in the journal: {}", now.store);
    }
  }
  told_ = now;
  const Drainer::State drained = drainer_->state();
  if (drained.crashed != crashed_told_)
    log.say(LogLevel::warning, "{} rows of the ledger were left open by a process that died: they are crashed",
            drained.crashed - crashed_told_);
  if (drained.damaged != damaged_told_)
    log.say(LogLevel::warning, "{} bytes in journals that were left behind are damaged; whole records were kept",
            drained.damaged - damaged_told_);
  crashed_told_ = drained.crashed;
  damaged_told_ = drained.damaged;
}

}  // namespace sluice
