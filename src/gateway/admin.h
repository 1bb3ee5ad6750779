// The admin API: keys and groups that are made at run time, who may change them, and who did. It owns the directory of
// this process: what the configuration has and what is stored, as one. Every answer is made under one lock, on a thread
// of its own; a change is stored, then with every worker, then answered. Not here: HTTP (admin_door.cc), tables
// (store). SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"
#include "policy/directory.h"
#include "ports/key_store.h"
#include "ports/ledger_store.h"

namespace sluice {

struct AdminAsk {
  std::string method;
  std::string path;   // below /admin/api/: "keys/key_0123456789abc/rotate"; decoded
  std::string query;  // as it came
  std::string body;
  std::string credential;
  std::string peer;
  bool near = false;  // it comes from this machine, and from no page and no proxy on it
  std::string if_match, idempotency_key;
};

struct AdminAnswer {
  int status = 200;
  std::string body;
  std::string etag;  // empty: none
};

class Admin {
 public:
  using Clock = std::int64_t (*)();  // Unix milliseconds
  using Chance = void (*)(std::span<unsigned char>);
  // False: not every worker has it yet.
  using Publish = std::function<bool(const std::shared_ptr<const Directory>&)>;
  using Done = std::move_only_function<void(Result<AdminAnswer>)>;

  // Without a store keys are the configuration's only, and every ask is refused. Error: internal, the store's.
  [[nodiscard]] static Result<std::unique_ptr<Admin>> open(std::unique_ptr<KeyStore> store, Clock clock, Chance chance);
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;
  ~Admin();

  // The admin key, when the store had none: made and stored now, told once.
  [[nodiscard]] Result<std::string> first_key();
  // What lets whoever may read the store's files ask just that, for a minute.
  [[nodiscard]] std::string ticket(const AdminAsk& ask) const;
  // What other processes changed in the store since is with every worker then.
  [[nodiscard]] Result<void> catch_up();
  // From now on the directory is of this configuration, and so on all workers. Error: bad_request, when it does not go
  // with what is stored; then everything stays as it was.
  [[nodiscard]] Result<std::shared_ptr<const Directory>> adopt(const Config& config);
  void publish_by(Publish publish);
  // What usage is told by, from now on; before, there is no ledger.
  void tell_usage_by(std::unique_ptr<LedgerStore> ledger);

  [[nodiscard]] Result<AdminAnswer> answer(const AdminAsk& ask);
  // The same on the thread of its own; `done` is called once, from there or at once.
  void ask(AdminAsk ask, Done done);
  // Answers what was asked; from then on every ask is refused.
  void close();

 private:
  struct Held {  // a stored node, its settings read
    StoredNode stored;
    KeySettings key;
    GroupSettings group;
  };
  struct Who {
    std::string name;
    std::string scope;
  };
  struct Failures {
    int count = 0;
    std::int64_t since_ms = 0;
  };
  using Nodes = std::map<std::uint64_t, Held>;
  using Kind = StoredNode::Kind;

  Admin(std::unique_ptr<KeyStore> store, Clock clock, Chance chance);
  void run();

  // admin.cc: who asks, and what all changes have in common.
  [[nodiscard]] Result<Who> authenticate(const AdminAsk& ask);
  [[nodiscard]] Result<Who> failed(const AdminAsk& ask, std::string_view detail);
  [[nodiscard]] Result<AdminAnswer> route(const AdminAsk& ask, const Who& who);
  [[nodiscard]] Result<AdminAnswer> audit(const AdminAsk& ask);
  [[nodiscard]] Result<AdminAnswer> usage(const AdminAsk& ask);
  [[nodiscard]] std::string ticket(const AdminAsk& ask, std::string_view when) const;
  [[nodiscard]] Result<void> read_changes();
  [[nodiscard]] static Nodes nodes_of(KeyStore::Contents& contents);
  [[nodiscard]] static Result<void> read_settings(Nodes& nodes, const Config& config);
  [[nodiscard]] Result<std::shared_ptr<const Directory>> make(const Config& config, const Nodes& nodes) const;
  // Stores, publishes. `audit` and `answer` of the change are filled in.
  [[nodiscard]] Result<AdminAnswer> commit(const AdminAsk& ask, const Who& who, KeyChange change, AuditEntry entry,
                                           Nodes nodes, AdminAnswer answer, std::string_view secret);
  [[nodiscard]] Result<std::optional<AdminAnswer>> given(const AdminAsk& ask, const Who& who);
  [[nodiscard]] std::string make_secret(const AdminAsk& ask, std::string_view prefix);
  [[nodiscard]] std::uint64_t make_id();
  [[nodiscard]] std::string fingerprint_of(const AdminAsk& ask, const Who& who) const;

  // admin_nodes.cc: keys and groups.
  [[nodiscard]] Result<AdminAnswer> nodes(const AdminAsk& ask, const Who& who, Kind kind,
                                          std::span<const std::string> path);
  [[nodiscard]] Result<AdminAnswer> list(const AdminAsk& ask, Kind kind) const;
  [[nodiscard]] Result<AdminAnswer> create(const AdminAsk& ask, const Who& who, Kind kind);
  [[nodiscard]] Result<AdminAnswer> change(const AdminAsk& ask, const Who& who, const Held& held,
                                           std::string_view verb);
  [[nodiscard]] Result<Held> find(Kind kind, std::string_view id) const;
  [[nodiscard]] std::string describe(const Held& held) const;
  [[nodiscard]] std::string describe_configured(Kind kind, std::string_view name) const;
  [[nodiscard]] Result<void> check_name(Kind kind, std::string_view name, std::uint64_t own) const;

  // admin_keys.cc: admin keys.
  [[nodiscard]] Result<AdminAnswer> admins(const AdminAsk& ask, const Who& who, std::span<const std::string> path);

  std::unique_ptr<KeyStore> store_;
  std::unique_ptr<LedgerStore> ledger_;  // null: there is none
  Clock clock_;
  Chance chance_;
  KeyedHash hash_;
  std::mutex mutex_;  // guards all below
  Config config_;
  std::shared_ptr<const Directory> directory_;
  Publish publish_;
  Nodes nodes_;
  std::vector<AdminKey> admins_;
  bool held_keys_ = false;
  std::int64_t changes_ = 0;  // of the store, that are known here
  std::map<std::string, Failures, std::less<>> failures_;
  std::string salt_;  // of the secret that is being made

  struct Waiting {
    AdminAsk ask;
    Done done;
  };
  std::mutex door_;  // guards the line
  std::condition_variable wake_;
  std::deque<Waiting> line_;
  bool closed_ = false;
  std::thread thread_;
};

}  // namespace sluice
