<?php
// PHP's curl extension under one fault. What it needs is in the environment.
$options = [
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_TIMEOUT_MS => (int) getenv('TIMEOUT'),
];
$headers = ['X-Api-Key: ' . getenv('KEY')];
$curl = curl_init();
if (getenv('WARM') != '') {
    curl_setopt_array($curl, $options + [CURLOPT_URL => getenv('WARM'), CURLOPT_HTTPHEADER => $headers]);
    curl_exec($curl);
}
if (getenv('BODY') != '') {
    $options[CURLOPT_POSTFIELDS] = file_get_contents(getenv('BODY'));
    $headers[] = 'Content-Type: ' . getenv('TYPE');
}
curl_setopt_array($curl, $options + [CURLOPT_URL => getenv('URL'), CURLOPT_HTTPHEADER => $headers]);
$seen = ['where' => 'call'];
$body = curl_exec($curl);
$status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
if ($status > 0) {
    $seen['status'] = $status;
}
if ($body === false) {
    // It throws nothing: curl_exec() is false.
    $seen['error'] = 'false, ' . curl_errno($curl) . ' "' . curl_error($curl) . '"';
} else {
    $seen['bytes'] = strlen($body);
    $seen['where'] = 'json';
    $value = json_decode($body);
    if (json_last_error() !== JSON_ERROR_NONE) {
        $seen['error'] = 'null, json_last_error_msg() "' . json_last_error_msg() . '"';
    } else {
        $seen['value'] = is_object($value) ? 'object' : substr(json_encode($value), 0, 20);
        $seen['where'] = 'none';
    }
}
echo json_encode($seen, JSON_UNESCAPED_SLASHES), "\n";
