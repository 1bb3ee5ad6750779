// Errors to a client of this dialect; how they are read: aws_error.h. SPDX-License-Identifier: MIT
#include <string>

#include "dialects/bedrock_converse/bedrock_converse.h"

namespace sluice::bedrock_converse {

std::string write_error(const Error& error) {
  std::string body;
  json::Writer out(body);
  out.begin_object();
  out.member("message", error.message.empty() ? fault_row(error.fault).name : std::string_view(error.message));
  out.end_object();
  return body;
}

std::string_view exception_of(const Error& error) {
  switch (error.fault) {
    case Fault::bad_request:
    case Fault::unsupported:
    case Fault::method_not_allowed:
    case Fault::too_large: return "ValidationException";
    case Fault::unauthorized:
      return error.code == "invalid_signature"      ? "InvalidSignatureException"
             : error.code == "incomplete_signature" ? "IncompleteSignatureException"
                                                    : "UnrecognizedClientException";
    case Fault::forbidden: return "AccessDeniedException";
    case Fault::not_found: return "ResourceNotFoundException";
    case Fault::rate_limited:
      // Clients ask again after the other one.
      return error.code == "insufficient_quota" ? "ServiceQuotaExceededException" : "ThrottlingException";
    case Fault::upstream_limited: return "ThrottlingException";
    case Fault::overloaded:
    case Fault::upstream_overloaded: return "ServiceUnavailableException";
    case Fault::request_timeout:
    case Fault::upstream_timeout: return "ModelTimeoutException";
    case Fault::upstream_rejected:
      return error.http_status() == 404   ? "ResourceNotFoundException"
             : error.http_status() == 409 ? "ConflictException"
                                          : "ValidationException";
    case Fault::client_gone:
    case Fault::upstream_denied:
    case Fault::upstream_failed:
    case Fault::upstream_unreachable:
    case Fault::upstream_broken:
    case Fault::internal: return "InternalServerException";
  }
  return "InternalServerException";
}

std::string_view stream_exception_of(const Error& error) {
  const std::string_view whole = exception_of(error);
  if (whole == "ThrottlingException" || whole == "ServiceQuotaExceededException") return "throttlingException";
  if (whole == "ServiceUnavailableException") return "serviceUnavailableException";
  if (error.fault == Fault::internal) return "internalServerException";
  return fault_row(error.fault).blame == Blame::client ? "validationException" : "modelStreamErrorException";
}

}  // namespace sluice::bedrock_converse
