// A request that passes untouched, as far as it must be known to pass: its fields, the model it names, ids in it, and
// as much of its body as tells them. What is larger stays with the client until the upstream takes it.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/task.h"
#include "gateway/doors.h"
#include "gateway/exchange.h"
#include "gateway/flight.h"
#include "wire/multipart.h"

namespace sluice {

struct Errand {
  const Entry& entry;  // outlives it
  std::string method;
  std::string model;                // as asked; empty when the request names none
  std::vector<std::string> models;  // all that a raw call names, wherever
  std::string fields;               // lines for the upstream
  std::vector<Header> routed;       // what routes ask for of the client's fields, names in lower case
  std::string own_address;          // the gateway's, as the client knows it

  bool whole = true;                     // `body` or `held` is all of it; else `held` and what still arrives
  std::string_view body;                 // lives until the request is released
  std::vector<json::TopMember> members;  // of such a body, when it is JSON
  std::string held;                      // the beginning of the body, or all of it
  std::optional<std::uint64_t> length;   // of all of it; nullopt: it comes in chunks
  std::optional<std::string> boundary;   // of a form
  std::optional<MultipartScan> form;     // what the form has told so far

  [[nodiscard]] const VendorOperation& operation() const { return *entry.vendor; }
};

// Takes the request in. Errors: bad_request (a model that stands twice or is no text, a form that two readers would
// frame in two ways, a raw call that cannot be looked into), too_large, request_timeout, client_gone.
[[nodiscard]] Task<Result<Errand>> take_errand(Exchange& ex, const Entry& entry);

// What is left of the errand's body on its way from the client. A form is followed to its end: a second model in it
// would be another request.
class Rest final : public Supply {
 public:
  // Both must outlive it.
  Rest(Exchange& ex, Errand& errand) : ex_(ex), errand_(errand) {}
  // Whom it goes to. A form that names its model only now may name no other than this backend serves by that very name;
  // none at all when it was given one (`model_added`).
  void to(const Backend& backend, bool model_added) {
    backend_ = &backend;
    model_added_ = model_added;
  }
  [[nodiscard]] Result<Got> next(std::string_view& bytes) override;
  [[nodiscard]] bool begun() const override { return begun_; }

 private:
  Exchange& ex_;
  Errand& errand_;
  [[nodiscard]] Result<void> check_form();
  std::string chunk_;
  const Backend* backend_ = nullptr;
  bool model_added_ = false;
  bool begun_ = false;
  bool ended_ = false;
};

}  // namespace sluice
