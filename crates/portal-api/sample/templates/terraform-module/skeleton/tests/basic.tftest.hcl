run "a_good_name_is_taken" {
  variables { name = "ledger" }
  assert {
    condition     = output.name == "ledger"
    error_message = "the name is not passed on"
  }
}

run "a_bad_name_is_refused" {
  command = plan
  variables { name = "Not Good" }
  expect_failures = [var.name]
}
